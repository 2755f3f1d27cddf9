// The messages on the page in their order, with days between them, and where the reader stands.
import { dayName, draw, el, mark } from './view.js';

const groupWithin = 5 * 60_000;

export class Thread {
  #box;
  #log;
  #entries = []; // { key, sequence (Infinity while unsent), message, item }, in order
  #byKey = new Map();
  #onChoice;
  #planned = false;
  lastSequence = 0;
  /** True while the reader is at the end, so that new messages scroll the page. */
  follows = true;

  constructor(box, log, onChoice) {
    this.#box = box;
    this.#log = log;
    this.#onChoice = onChoice;
    let top = 0;
    box.addEventListener('scroll', () => {
      if (this.#isAtEnd) this.follows = true;
      else if (box.scrollTop < top) this.follows = false; // only the reader scrolls up
      top = box.scrollTop;
    }, { passive: true });
  }

  /** The sequence of the first message shown, or null. */
  get firstSequence() { return this.#entries.find(entry => entry.sequence >= 1 && Number.isFinite(entry.sequence))?.sequence ?? null; }

  get #isAtEnd() { return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < 80; }

  scrollToEnd(smooth = false) {
    this.follows = true;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#box.scrollTo({ top: this.#box.scrollHeight, behavior: smooth && !calm ? 'smooth' : 'instant' });
  }

  /** Adds a message, or brings the one that the visitor wrote here into its place. Returns false when it was there before. */
  add(message, { fresh = true } = {}) {
    if (message.sequence) this.lastSequence = Math.max(this.lastSequence, message.sequence);
    const own = message.clientMessageId ?? message.id;
    const known = this.#byKey.get(message.id) ?? this.#byKey.get(own);
    if (known && (Number.isFinite(known.sequence) || !message.sequence)) return false;
    const entry = known ?? { key: own, item: draw(message, choice => this.#onChoice(message, choice)) };
    Object.assign(entry, { message, sequence: message.sequence ?? Infinity });
    this.#byKey.set(own, entry).set(message.id, entry);
    if (known) this.#entries.splice(this.#entries.indexOf(entry), 1);
    else if (fresh) entry.item.classList.add('fresh');
    let at = this.#entries.length;
    while (at > 0 && this.#entries[at - 1].sequence > entry.sequence) at--;
    this.#entries.splice(at, 0, entry);
    if (message.direction === 'inbound' && message.sequence) mark(entry.item, 'delivered', message.sentAt);
    this.#plan();
    return !known;
  }

  /** Shows how far an unsent message has come. */
  mark(id, state, onRetry) {
    const entry = this.#byKey.get(id);
    if (entry && !Number.isFinite(entry.sequence)) mark(entry.item, state, entry.message.sentAt, onRetry);
  }

  /** Draws what was added, and keeps what the reader sees where it is. */
  arrange() {
    this.#planned = false;
    const top = this.#entries.find(entry => entry.item.isConnected)?.item;
    const before = top?.getBoundingClientRect().top;
    let previous, cursor = this.#log.firstChild, answered = false;
    for (const entry of this.#entries.toReversed()) {
      for (const button of entry.item.querySelectorAll('.choices button')) button.disabled = answered;
      answered ||= entry.message.direction === 'inbound';
    }
    const place = node => {
      if (cursor === node) cursor = cursor.nextSibling;
      else this.#log.insertBefore(node, cursor);
    };
    for (const entry of this.#entries) {
      const at = new Date(entry.message.sentAt);
      const isNewDay = !previous || previous.at.toDateString() !== at.toDateString();
      if (isNewDay) {
        const isThere = cursor?.classList.contains('day') && cursor.dataset.day === at.toDateString();
        const day = isThere ? cursor : el('li', 'day', dayName(at));
        day.dataset.day = at.toDateString();
        place(day);
      }
      while (cursor && cursor !== entry.item && cursor.classList.contains('day')) cursor = this.#remove(cursor);
      const same = !isNewDay && previous.message.senderType === entry.message.senderType && previous.message.direction === entry.message.direction
        && previous.message.senderName === entry.message.senderName && at - previous.at < groupWithin;
      entry.item.classList.toggle('same', same);
      place(entry.item);
      previous = { at, message: entry.message };
    }
    while (cursor) cursor = this.#remove(cursor);
    if (!this.follows && top) this.#box.scrollTop += top.getBoundingClientRect().top - before;
  }

  #remove(node) {
    const next = node.nextSibling;
    if (node.classList.contains('day')) node.remove();
    return next;
  }

  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => this.#planned && this.arrange());
  }
}
