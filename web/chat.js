// The chat page: one conversation of one visitor with one channel.
import { paint } from './colors.js';
import { language, say, t } from './strings.js';
import { SharedStream } from './tabs.js';
import { Thread } from './thread.js';
import { Passing, Refused, Store, Transport } from './transport.js';

const $ = id => document.getElementById(id);
const { channel, name, color, welcome } = document.body.dataset;
const embedded = window.parent !== window;
const store = new Store(channel);
const transport = new Transport(channel, store);
const stream = new SharedStream(transport, channel);
const thread = new Thread($('thread'), $('log'), choose);
const text = $('text');
let unsent = store.get('unsent') ?? []; // { id, text, choiceId?, replyTo?, sentAt, failed? }
let unread = 0;
let isOpen = !embedded;
let isGone = false;
let isReplaced = false;
let isHistoryDue = transport.isKnown;
let wake = () => {};

const answerMayTake = 24 * 3_600_000; // how long a closed widget waits for an answer
const moreMayCome = 3_600_000; // and for more after one
const graceWhenHidden = 5_000; // who looks at another tab for a moment is not worth a new connection

function prepare() {
  document.documentElement.lang = language;
  document.documentElement.dir = language === 'ar' ? 'rtl' : 'ltr';
  document.body.classList.toggle('embedded', embedded);
  paint(color);
  $('avatar').textContent = [...name.trim()][0]?.toUpperCase() ?? '';
  text.placeholder = t.placeholder;
  $('text-label').textContent = t.label;
  $('thread').setAttribute('aria-label', t.thread);
  $('send').setAttribute('aria-label', t.send);
  $('close').setAttribute('aria-label', t.close);
  $('close').hidden = !embedded;
  $('load-earlier').textContent = t.earlier;
  $('newer').textContent = t.newer;
  $('hint').textContent = matchMedia('(pointer: coarse)').matches ? '' : t.hint;
  $('log').setAttribute('aria-live', 'off'); // what was said before isn't news
  greet();
}

function greet() {
  if (welcome) thread.add({ id: 'welcome', sequence: 0.5, direction: 'outbound', senderType: 'ai', textContent: welcome, contentType: 'text', sentAt: store.get('since') ?? new Date() }, { fresh: false });
}

function state(key, isAway = key !== 'online') {
  $('state').textContent = t[key];
  $('state').classList.toggle('away', isAway);
}

function received(message) {
  const follow = thread.follows || message.direction === 'inbound';
  if (!thread.add(message)) return attend();
  if (message.direction === 'outbound') {
    typing(false);
    if (isOpen && !document.hidden) sawAll();
    else tellParent('unread', ++unread);
  }
  thread.arrange();
  if (follow) thread.scrollToEnd(true);
  else $('newer').hidden = false;
  attend();
}

function typing(isTyping) {
  $('typing').hidden = !isTyping;
  $('typing-text').textContent = isTyping ? say(t.typing, t.assistant) : '';
  if (isTyping && thread.follows) thread.scrollToEnd(true);
}

/** Waits, or less when the page comes back or something is to be sent. */
const pause = milliseconds => new Promise(resolve => { wake = resolve; setTimeout(resolve, milliseconds); });

let hiddenSince = document.hidden ? 0 : Infinity;
let looked = () => {};
let listening = new AbortController();
let nextLook;

/** Until when something may be worth waiting for though the chat is closed: an answer, or more after one. */
function waitsUntil() {
  const newest = thread.newest;
  return newest ? Date.parse(newest.sentAt) + (newest.direction === 'inbound' ? answerMayTake : moreMayCome) : 0;
}

/** Somebody looks at the page, and the chat is open or waits for something: only then it has a stream. */
function wantsStream() {
  return !isGone && Date.now() < hiddenSince + graceWhenHidden && (isOpen || Date.now() < waitsUntil());
}

/** Begins to listen, or stops, as the page now stands. */
function attend() {
  clearTimeout(nextLook);
  if (wantsStream()) looked();
  else listening.abort();
  const next = Math.min(...[hiddenSince + graceWhenHidden, isOpen ? Infinity : waitsUntil()].map(at => at - Date.now()).filter(left => left > 0), moreMayCome);
  nextLook = setTimeout(attend, next + 1);
  if (!isHistoryDue) tellParent('waits', waitsUntil());
}

async function listen() {
  for (let failures = 0; !isGone; failures++) {
    try {
      while (!wantsStream()) await new Promise(resolve => { looked = resolve; });
      if (isHistoryDue) await readHistory();
      if (!wantsStream()) continue;
      listening = new AbortController();
      await stream.listen(() => Math.floor(thread.lastSequence), {
        open: () => { failures = 0; state('online'); typing(false); flush(); },
        message: received,
        typing: event => typing(event.isTyping),
        replaced: () => { isReplaced = true; },
      }, listening.signal);
    } catch (error) {
      if (error instanceof Refused) return gone();
      if (!(error instanceof Passing)) throw error;
      typing(false);
      if (!wantsStream()) { failures = 0; continue; }
      const wait = isReplaced ? 60_000 : Math.min(30_000, 500 * 2 ** failures); // too many streams: until this page is looked at again, or its turn comes
      if (failures > 0 && !isReplaced || !navigator.onLine) state('offline');
      isReplaced = false;
      await pause(Math.max(error.after, wait * (0.7 + 0.6 * Math.random())));
    }
  }
}

/** The newest page of the conversation. */
async function readHistory() {
  $('log').setAttribute('aria-live', 'off');
  const page = await transport.history();
  page.items.forEach(message => thread.add(message, { fresh: false }));
  $('earlier').hidden = page.nextCursor === null;
  isHistoryDue = false;
  thread.arrange();
  if (thread.follows) thread.scrollToEnd();
  setTimeout(() => $('log').setAttribute('aria-live', 'polite'), 500);
  if (isOpen && !document.hidden) sawAll();
  else tellParent('unread', unread = thread.countAfter(seen()));
}

const unsentKeys = () => new Set(unsent.map(entry => entry.id));

/** The visitor is another one: what is shown was another conversation, and what is unsent is said in the new one, where the choices of the other mean nothing. */
transport.onAnew = () => {
  thread.startAnew(t.anew, unsentKeys());
  keep(list => list.map(({ choiceId, replyTo, ...entry }) => entry));
  store.set('since', new Date().toISOString());
  isHistoryDue = true;
  beginAnew();
};

/** The conversation is gone from the server: the contact was erased. What there is now comes by the stream. */
transport.onReset = () => {
  thread.clear(unsentKeys());
  beginAnew();
};

function beginAnew() {
  $('earlier').hidden = true;
  $('newer').hidden = true;
  typing(false);
  store.set('seen', null);
  tellParent('unread', unread = 0);
  wake();
}

function gone() {
  isGone = true;
  state('gone');
  text.disabled = true;
  $('send').disabled = true;
}

/** Changes the list of what is unsent, which all tabs keep together. */
function keep(change) {
  const own = new Map(unsent.map(entry => [entry.id, entry]));
  const all = new Map([...(store.get('unsent') ?? []), ...unsent].map(entry => [entry.id, entry]));
  store.set('unsent', change([...all.values()]));
  unsent = change([...own.values()]);
}

function show(entry) {
  thread.add({ id: entry.id, clientMessageId: entry.id, direction: 'inbound', senderType: 'user', contentType: 'text', textContent: entry.text, sentAt: entry.sentAt });
  thread.mark(entry.id, entry.failed ? 'failed' : navigator.onLine ? 'sending' : 'waiting', () => retry(entry));
}

function write(message) {
  const entry = { id: crypto.randomUUID?.() ?? uuid(), sentAt: new Date().toISOString(), ...message };
  if (!store.get('since')) store.set('since', entry.sentAt);
  keep(list => [...list, entry]);
  show(entry);
  thread.arrange();
  thread.scrollToEnd(true);
  flush();
}

// randomUUID is missing where the page came over plain HTTP from another machine.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  return [...bytes].map((byte, i) => ([4, 6, 8, 10].includes(i) ? '-' : '') + byte.toString(16).padStart(2, '0')).join('');
}

function retry(entry) {
  keep(list => list.map(other => other.id === entry.id ? { ...other, failed: undefined } : other));
  thread.mark(entry.id, 'sending');
  flush();
}

function choose(message, choice) {
  write({ text: choice.title, choiceId: choice.id, replyTo: message.id });
}

let flushing = false;

/** Sends what is unsent, in order, each until the server has it. A message that the server refuses waits for the visitor. */
async function flush() {
  if (flushing || isGone) return;
  flushing = true;
  let failures = 0;
  for (let entry; (entry = unsent.find(candidate => !candidate.failed)) && !isGone;) {
    try {
      const { id, text: words, choiceId, replyTo } = entry;
      await transport.send({ id, text: words, choiceId, replyTo, language });
      keep(list => list.filter(other => other.id !== entry.id));
      thread.mark(entry.id, 'delivered');
      failures = 0;
      wake();
    } catch (error) {
      if (error instanceof Refused) {
        keep(list => list.map(other => other.id === entry.id ? { ...other, failed: true } : other));
        thread.mark(entry.id, 'failed', () => retry(entry));
      } else {
        thread.mark(entry.id, 'waiting');
        await pauseSending(Math.max(error.after ?? 0, Math.min(15_000, 800 * 2 ** failures++)));
      }
    }
  }
  flushing = false;
}

let wakeSending = () => {};
const pauseSending = milliseconds => new Promise(resolve => { wakeSending = resolve; setTimeout(resolve, milliseconds); });

async function loadEarlier() {
  $('load-earlier').disabled = true;
  $('log').setAttribute('aria-live', 'off');
  try {
    if (thread.firstSequence === null) return;
    const page = await transport.history(thread.firstSequence);
    page.items.forEach(message => thread.add(message, { fresh: false }));
    thread.arrange();
    $('earlier').hidden = page.nextCursor === null;
  } catch (error) {
    if (error instanceof Refused) gone();
  } finally {
    $('load-earlier').disabled = false;
    $('log').setAttribute('aria-live', 'polite');
  }
}

function tellParent(type, value) {
  if (embedded) window.parent.postMessage({ source: 'agentplatform', type, value }, '*'); // a number or nothing: no secret
}

/** What this visitor has seen in any tab: the last sequence. Where nothing is noted, everything that is old enough. */
function seen() { return store.get('seen') ?? thread.lastSequence; }

function sawAll() {
  if (thread.lastSequence >= 1 && store.get('seen') !== thread.lastSequence) store.set('seen', thread.lastSequence);
  if (unread) tellParent('unread', unread = 0);
}

function wire() {
  const grow = () => {
    text.style.height = 'auto';
    text.style.height = `${Math.min(140, text.scrollHeight)}px`;
    $('send').disabled = isGone || !text.value.trim();
  };
  const submit = event => {
    event.preventDefault();
    if (isGone || !text.value.trim()) return;
    write({ text: text.value.trim() });
    text.value = '';
    store.set('draft', '');
    grow();
    text.focus();
  };
  $('composer').addEventListener('submit', submit);
  text.addEventListener('input', () => { grow(); store.set('draft', text.value); });
  text.addEventListener('keydown', event => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229) submit(event);
  });
  document.addEventListener('keydown', event => { if (event.key === 'Escape' && embedded) tellParent('close'); });
  $('close').addEventListener('click', () => tellParent('close'));
  $('newer').addEventListener('click', () => { thread.scrollToEnd(true); text.focus(); });
  $('thread').addEventListener('scroll', () => { if (thread.follows) $('newer').hidden = true; }, { passive: true });
  $('load-earlier').addEventListener('click', loadEarlier);
  new ResizeObserver(() => { if (thread.follows) thread.scrollToEnd(); }).observe($('thread'));
  const back = () => {
    hiddenSince = Infinity;
    attend();
    wake();
    wakeSending();
    if (isOpen) sawAll();
  };
  const away = () => {
    hiddenSince = Math.min(hiddenSince, Date.now());
    attend();
  };
  const leave = () => { // the page may be kept, asleep, with what it has open
    hiddenSince = 0;
    attend();
  };
  document.addEventListener('visibilitychange', () => document.hidden ? away() : back());
  document.addEventListener('freeze', leave);
  window.addEventListener('pagehide', leave);
  window.addEventListener('pageshow', event => { if (event.persisted && !document.hidden) back(); });
  window.addEventListener('focus', () => wake());
  store.watch('seen', () => { if (!isOpen && unread) tellParent('unread', unread = thread.countAfter(seen())); });
  window.addEventListener('online', () => { wake(); wakeSending(); });
  window.addEventListener('offline', () => state('offline'));
  window.addEventListener('message', event => {
    if (event.source !== window.parent || event.data?.source !== 'agentplatform-widget') return;
    isOpen = event.data.type === 'open';
    attend();
    if (isOpen) { sawAll(); thread.scrollToEnd(); if (!matchMedia('(pointer: coarse)').matches) text.focus(); }
  });
  text.value = store.get('draft') ?? '';
  grow();
}

async function start() {
  prepare();
  wire();
  state('connecting', true);
  unsent.forEach(show);
  thread.arrange();
  for (let failures = 0; isHistoryDue && !isGone; failures++) {
    try {
      await readHistory();
    } catch (error) {
      if (error instanceof Refused) return gone();
      if (!(error instanceof Passing)) throw error;
      state('offline');
      await pause(Math.max(error.after, Math.min(30_000, 500 * 2 ** failures)));
    }
  }
  thread.arrange();
  thread.scrollToEnd();
  setTimeout(() => $('log').setAttribute('aria-live', 'polite'), 500);
  if (!embedded && !matchMedia('(pointer: coarse)').matches) text.focus();
  tellParent('ready');
  attend();
  await listen();
}

start();
