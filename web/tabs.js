// Tabs of one browser share one event stream: over HTTP/1.1 a browser opens six connections to a host, and six tabs with a stream each would leave none for sending.
import { Passing } from './transport.js';

const silence = 45_000; // the tab that reads the stream passes on a sign of life every 15 seconds

/**
 * One stream for all tabs of a visitor: whoever holds a lock reads it and passes everything on. A tab that goes away, or that nobody looks at any more, lets go of
 * the lock, and the next one goes on after what it has shown itself. Where the browser has no locks (they need HTTPS) or keeps them shut, each tab has a stream
 * of its own while somebody looks at it.
 */
export class SharedStream {
  #transport;
  #name;

  constructor(transport, channelId) {
    this.#transport = transport;
    this.#name = `agentplatform.${channelId}.stream.`;
  }

  /** Like the transport's `listen`: reads until `signal` ends it, or something breaks. */
  async listen(lastSequence, events, signal) {
    const name = this.#name + await this.#transport.visitorId();
    if (signal.aborted) return;
    const locks = navigator.locks;
    let bus;
    try { bus = new BroadcastChannel(name); } catch { /* there is none, or it is blocked like storage */ }
    if (!bus || !locks || !await works(locks, name)) {
      bus?.close();
      return this.#transport.listen(lastSequence, events, signal);
    }
    const member = new Member(this.#transport, bus, lastSequence, events);
    const own = new AbortController();
    const end = () => own.abort();
    signal.addEventListener('abort', end, { once: true });
    this.#transport.present.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try { await member.take(locks, name, own); }
    catch (error) { throw error instanceof Error && error.name === 'AbortError' ? new Passing('the stream is another tab\'s now') : error; }
    finally {
      signal.removeEventListener('abort', end);
      own.abort();
      bus.close();
    }
  }
}

/** Whether locks are there to be used: a browser that blocks storage says so only when asked. */
async function works(locks, name) {
  try { return await locks.request(`${name}.${crypto.getRandomValues(new Uint32Array(2)).join('')}`, () => true); }
  catch { return false; }
}

/** One tab. While it waits for the lock it shows what the tab that has it passes on, and reads by itself what it may have missed. */
class Member {
  #transport;
  #bus;
  #lastSequence;
  #events;
  #leads = false;
  #isOpen = false;
  #typing = false;
  #gap = null; // what came after this sequence is not all here
  #isFilling = false;
  #before = 0; // the last sequence passed on
  #timer;
  #heard = () => {};

  constructor(transport, bus, lastSequence, events) {
    this.#transport = transport;
    this.#bus = bus;
    this.#lastSequence = lastSequence;
    this.#events = events;
    bus.onmessage = event => this.#hear(event.data);
  }

  get #position() { return this.#gap ?? this.#transport.position(this.#lastSequence()); }

  /** Waits for the lock and reads the stream. A tab that has it and is silent (it sleeps, or its process hangs) loses it. */
  async take(locks, name, own) {
    const lead = async () => {
      clearTimeout(this.#timer);
      this.#leads = true;
      if (this.#gap !== null) this.#transport.rewind(this.#gap);
      this.#gap = null;
      await this.#transport.listen(this.#lastSequence, this.#passingOn(), own.signal);
    };
    let isSilent = false;
    const waiting = new AbortController();
    own.signal.addEventListener('abort', () => waiting.abort(), { once: true });
    this.#heard = () => {
      clearTimeout(this.#timer);
      if (!this.#leads) this.#timer = setTimeout(() => { isSilent = true; waiting.abort(); }, silence);
    };
    this.#heard();
    this.#bus.postMessage({ kind: 'hello' });
    try { await locks.request(name, { signal: waiting.signal }, lead); }
    catch (error) {
      if (!isSilent || own.signal.aborted) throw error;
      await locks.request(name, { steal: true }, lead);
    } finally { clearTimeout(this.#timer); }
  }

  #passingOn() {
    return {
      open: () => {
        this.#before = this.#position;
        this.#isOpen = true;
        this.#pass('open');
        this.#events.open();
      },
      alive: () => this.#pass('alive'),
      message: message => {
        this.#pass('message', message);
        this.#before = message.sequence;
        this.#events.message(message);
      },
      typing: data => {
        this.#typing = data.isTyping;
        this.#pass('typing', data);
        this.#events.typing(data);
      },
      replaced: () => this.#events.replaced(),
      reset: () => {
        this.#before = 0;
        this.#pass('reset');
      },
    };
  }

  #pass(kind, data) { this.#bus.postMessage({ kind, data, after: this.#before }); }

  #hear({ kind, data, after }) {
    if (this.#leads) {
      if (kind === 'hello' && this.#isOpen) {
        this.#pass('open');
        this.#pass('typing', { isTyping: this.#typing });
      }
      return;
    }
    if (kind === 'hello') return;
    this.#heard();
    if (kind === 'reset') { this.#gap = null; this.#transport.reset(); return; }
    if (after > this.#position) this.#gap = this.#position;
    if (kind === 'open') this.#events.open();
    if (kind === 'message') {
      if (this.#transport.saw(data)) this.#events.message(data);
      else this.#gap = 0;
    }
    if (kind === 'typing') this.#events.typing(data);
    if (this.#gap !== null) this.#fill();
  }

  /** Reads what was missed; where that fails, the next sign of life tries again. */
  async #fill() {
    if (this.#isFilling) return;
    this.#isFilling = true;
    try {
      const missed = await this.#transport.since(this.#gap);
      this.#gap = null;
      missed.forEach(message => this.#events.message(message));
    } catch (error) {
      if (!(error instanceof Passing)) throw error;
    } finally { this.#isFilling = false; }
  }
}
