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
  #begin = null; // what stands before it belongs to an earlier conversation
  /** The sequence of the newest message shown. */
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

  /** The newest message that the server has, or null. */
  get newest() { return this.#entries.findLast(entry => entry.sequence >= 1 && Number.isFinite(entry.sequence))?.message ?? null; }

  /** Messages to the visitor after a sequence. */
  countAfter(sequence) { return this.#entries.filter(entry => entry.sequence > sequence && entry.message.direction === 'outbound').length; }

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

  /** Another conversation begins: what is shown stays above the note, as an earlier one. Messages whose keys are in `unsent` go on in the new one. */
  startAnew(note, unsent) {
    this.arrange();
    const stays = this.#entries.filter(entry => entry.sequence < 1 || unsent.has(entry.key) && !Number.isFinite(entry.sequence));
    const past = this.#entries.filter(entry => !stays.includes(entry));
    this.#forget(past);
    if (past.length === 0) return;
    this.#entries = stays.filter(entry => entry.sequence > 1); // the welcome stays where it was
    for (const entry of past) entry.item.querySelectorAll('.choices button').forEach(button => { button.disabled = true; });
    this.#begin = el('li', 'system', note);
    this.#log.append(this.#begin);
    this.arrange();
    while (this.#begin.previousSibling?.classList.contains('day')) this.#begin.previousSibling.remove();
  }

  /** The conversation is no longer there: nothing of it is shown any more. Messages whose keys are in `unsent` stay. */
  clear(unsent) {
    const past = this.#entries.filter(entry => entry.sequence >= 1 && !unsent.has(entry.key));
    this.#forget(past);
    for (const entry of past) entry.item.remove();
    this.arrange();
  }

  #forget(past) {
    this.lastSequence = 0;
    this.#entries = this.#entries.filter(entry => !past.includes(entry));
    this.#byKey.forEach((entry, key) => { if (past.includes(entry)) this.#byKey.delete(key); });
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
    let previous, cursor = this.#begin ? this.#begin.nextSibling : this.#log.firstChild, answered = false;
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
