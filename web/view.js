// Draws messages. Everything becomes text nodes and known elements: no message can bring markup of its own.
import { language, t } from './strings.js';

const clock = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long' });
const link = /https?:\/\/[^\s<>"'«»]+[^\s<>"'«».,;:!?)\]}]/g;

/** Makes an element with a class and children, which may be texts. */
export function el(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function* inline(text) {
  for (const [i, part] of text.split(/\*\*(?=\S)(.+?)(?<=\S)\*\*/).entries()) {
    if (i % 2) { yield el('strong', '', ...inline(part)); continue; }
    let from = 0;
    for (const found of part.matchAll(link)) {
      yield part.slice(from, found.index);
      const a = el('a', '', found[0]);
      a.href = found[0];
      a.target = '_blank';
      a.rel = 'noopener noreferrer nofollow';
      yield a;
      from = found.index + found[0].length;
    }
    yield part.slice(from);
  }
}

/** Paragraphs at empty lines, and lists of lines that begin with a dash or a bullet. */
function* blocks(text) {
  let lines = [], items = [];
  const paragraph = () => { const p = el('p', '', ...inline(lines.join('\n'))); lines = []; return p; };
  const list = () => { const ul = el('ul', '', ...items); items = []; return ul; };
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    const item = /^\s*[-•*]\s+(.*)/.exec(line);
    if (item) {
      if (lines.length) yield paragraph();
      items.push(el('li', '', ...inline(item[1])));
    } else {
      if (items.length) yield list();
      if (line.trim()) lines.push(line); else if (lines.length) yield paragraph();
    }
  }
  if (items.length) yield list();
  if (lines.length) yield paragraph();
}

const isWeb = url => /^https?:\/\//i.test(url ?? '');

function attachment(message) {
  if (!isWeb(message.attachmentUrl)) return null;
  const name = message.attachment?.filename || (message.contentType === 'image' ? t.image : t.file);
  if (message.contentType === 'image' || message.contentType === 'sticker') {
    const img = el('img');
    Object.assign(img, { src: message.attachmentUrl, alt: message.textContent || name, loading: 'lazy', referrerPolicy: 'no-referrer' });
    return img;
  }
  if (message.contentType === 'video' || message.contentType === 'audio') {
    const media = el(message.contentType);
    Object.assign(media, { src: message.attachmentUrl, controls: true, preload: 'metadata' });
    return media;
  }
  const a = el('a', '', '📎 ' + name);
  Object.assign(a, { href: message.attachmentUrl, target: '_blank', rel: 'noopener noreferrer' });
  return el('p', '', a);
}

/** The element of one message. `onChoice(choice)` is called when the visitor picks one. */
export function draw(message, onChoice) {
  const mine = message.direction === 'inbound';
  if (message.senderType === 'system' && !mine) return el('li', 'system', ...blocks(message.textContent ?? ''));
  const who = mine ? t.you : message.senderType === 'agent' ? message.senderName || t.team : message.senderName || t.assistant;
  const item = el('li', mine ? 'message mine' : 'message');
  const from = el('span', mine ? 'from unseen' : 'from', who);
  if (message.isAutomatic) from.append(el('span', 'tag', t.automatic));
  const bubble = el('div', 'bubble');
  const attached = attachment(message);
  if (attached) bubble.append(attached);
  if (message.textContent) {
    const words = el('div', '', ...blocks(message.textContent));
    words.dir = 'auto'; // the text's own direction, whatever the page's
    bubble.append(words);
  }
  else if (!attached) bubble.append(el('p', '', t.unsupported));
  item.append(from, bubble);
  if (message.choices?.length) {
    const group = el('div', 'choices', ...message.choices.map(choice => {
      const button = el('button', '', choice.title, ...(choice.description ? [el('small', '', choice.description)] : []));
      button.type = 'button';
      button.dir = 'auto';
      button.addEventListener('click', () => onChoice(choice));
      return button;
    }));
    group.setAttribute('role', 'group');
    item.append(group);
  }
  item.append(el('span', 'meta', clock.format(new Date(message.sentAt))));
  return item;
}

/** Shows how far a message of the visitor's own has come: sending, waiting, delivered, or failed with a button. */
export function mark(item, state, at, onRetry) {
  const meta = item.querySelector('.meta');
  item.classList.toggle('waiting', state === 'sending' || state === 'waiting');
  meta.classList.toggle('bad', state === 'failed');
  if (state === 'failed') {
    const retry = el('button', '', t.retry);
    retry.type = 'button';
    retry.addEventListener('click', onRetry);
    meta.replaceChildren(t.failed + ' ', retry);
  } else if (state === 'delivered') {
    const tick = el('span', 'mark', '✓');
    tick.setAttribute('aria-hidden', 'true');
    meta.replaceChildren(clock.format(new Date(at)), tick, el('span', 'unseen', t.delivered));
  } else {
    meta.replaceChildren(t[state]);
  }
}

/** "Today", "Yesterday", or the date. */
export function dayName(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86_400_000);
  return days === 0 ? t.today : days === 1 ? t.yesterday : calendar.format(date);
}

