// The chat page: one conversation of one visitor with one channel.
import { paint } from './colors.js';
import { language, say, t } from './strings.js';
import { Thread } from './thread.js';
import { Passing, Refused, Store, Transport } from './transport.js';

const $ = id => document.getElementById(id);
const { channel, name, color, welcome } = document.body.dataset;
const embedded = window.parent !== window;
const store = new Store(channel);
const transport = new Transport(channel, store);
const thread = new Thread($('thread'), $('log'), choose);
const text = $('text');
let unsent = store.get('unsent') ?? []; // { id, text, choiceId?, replyTo?, sentAt, failed? }
let unread = 0;
let isOpen = !embedded;
let isGone = false;
let isReplaced = false;
let wake = () => {};

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
  if (welcome) thread.add({ id: 'welcome', sequence: 0.5, direction: 'outbound', senderType: 'ai', textContent: welcome, contentType: 'text', sentAt: store.get('since') ?? new Date() }, { fresh: false });
}

function state(key, isAway = key !== 'online') {
  $('state').textContent = t[key];
  $('state').classList.toggle('away', isAway);
}

function received(message) {
  const follow = thread.follows || message.direction === 'inbound';
  if (!thread.add(message)) return;
  if (message.direction === 'outbound') {
    typing(false);
    if (!isOpen || document.hidden) tellParent('unread', ++unread);
  }
  thread.arrange();
  if (follow) thread.scrollToEnd(true);
  else $('newer').hidden = false;
}

function typing(isTyping) {
  $('typing').hidden = !isTyping;
  $('typing-text').textContent = isTyping ? say(t.typing, t.assistant) : '';
  if (isTyping && thread.follows) thread.scrollToEnd(true);
}

/** Waits, or less when the page comes back or something is to be sent. */
const pause = milliseconds => new Promise(resolve => { wake = resolve; setTimeout(resolve, milliseconds); });

async function listen() {
  for (let failures = 0; !isGone; failures++) {
    try {
      await transport.listen(() => Math.floor(thread.lastSequence), {
        open: () => { failures = 0; state('online'); flush(); },
        message: received,
        typing: event => typing(event.isTyping),
        replaced: () => { isReplaced = true; },
      }, new AbortController().signal);
    } catch (error) {
      if (error instanceof Refused) return gone();
      typing(false);
      if (isReplaced) await new Promise(resolve => { wake = resolve; }); // too many tabs: until this one is looked at again
      isReplaced = false;
      if (failures > 0 || !navigator.onLine) state('offline');
      await pause(Math.max(error.after, Math.min(30_000, 500 * 2 ** failures) * (0.7 + 0.6 * Math.random())));
    }
  }
}

function gone() {
  isGone = true;
  state('gone');
  text.disabled = true;
  $('send').disabled = true;
}

function keep() { store.set('unsent', unsent); }

function show(entry) {
  thread.add({ id: entry.id, clientMessageId: entry.id, direction: 'inbound', senderType: 'user', contentType: 'text', textContent: entry.text, sentAt: entry.sentAt });
  thread.mark(entry.id, entry.failed ? 'failed' : navigator.onLine ? 'sending' : 'waiting', () => retry(entry));
}

function write(message) {
  const entry = { id: crypto.randomUUID?.() ?? uuid(), sentAt: new Date().toISOString(), ...message };
  if (!store.get('since')) store.set('since', entry.sentAt);
  unsent.push(entry);
  keep();
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
  delete entry.failed;
  keep();
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
      unsent = unsent.filter(other => other !== entry);
      keep();
      thread.mark(entry.id, 'delivered');
      failures = 0;
      wake();
    } catch (error) {
      if (error instanceof Refused) {
        entry.failed = true;
        keep();
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

function sawAll() {
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
  window.addEventListener('online', () => { wake(); wakeSending(); });
  window.addEventListener('offline', () => state('offline'));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) { wake(); wakeSending(); if (isOpen) sawAll(); } });
  window.addEventListener('message', event => {
    if (event.source !== window.parent || event.data?.source !== 'agentplatform-widget') return;
    isOpen = event.data.type === 'open';
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
  if (transport.isKnown) {
    for (let failures = 0; !isGone; failures++) {
      try {
        const page = await transport.history();
        page.items.forEach(message => thread.add(message, { fresh: false }));
        $('earlier').hidden = page.nextCursor === null;
        break;
      } catch (error) {
        if (error instanceof Refused) return gone();
        if (!(error instanceof Passing)) throw error;
        state('offline');
        await pause(Math.max(error.after, Math.min(30_000, 500 * 2 ** failures)));
      }
    }
  }
  thread.arrange();
  thread.scrollToEnd();
  setTimeout(() => $('log').setAttribute('aria-live', 'polite'), 500);
  if (!embedded && !matchMedia('(pointer: coarse)').matches) text.focus();
  tellParent('ready');
  await listen();
}

start();
