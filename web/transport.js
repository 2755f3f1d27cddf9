// Talks to the web channel's API: one visitor, kept in the browser; messages that are sent until they arrive; events that resume.

/** An answer that trying again will not change. `status` is the HTTP status. */
export class Refused extends Error {
  constructor(status) { super(`refused with ${status}`); this.status = status; }
}

/** An answer, or none, after which the same request may be tried again, `after` milliseconds later if the server said so. */
export class Passing extends Error {
  constructor(reason, after = 0) { super(reason); this.after = after; }
}

/** localStorage where the browser allows it, else memory until the page is left. */
export class Store {
  #prefix;
  #memory = new Map(); // what localStorage did not take: it would go on showing an older value
  constructor(channelId) { this.#prefix = `agentplatform.${channelId}.`; }
  get(key) {
    if (this.#memory.has(key)) return this.#memory.get(key);
    try { return JSON.parse(localStorage.getItem(this.#prefix + key)); }
    catch { return null; }
  }
  set(key, value) {
    try {
      localStorage.setItem(this.#prefix + key, JSON.stringify(value));
      this.#memory.delete(key);
    } catch { this.#memory.set(key, value); /* storage is blocked or full */ }
  }
  /** Calls back when another tab has changed the value. */
  watch(key, changed) {
    globalThis.addEventListener?.('storage', event => { if (event.key === this.#prefix + key || event.key === null) changed(); });
  }
}

const silence = 45_000; // the server's heartbeat comes every 15 seconds
const requestTimeout = 20_000;

/** One signal for several. */
function either(...signals) {
  if (AbortSignal.any) return AbortSignal.any(signals);
  const any = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) any.abort();
    signal.addEventListener('abort', () => any.abort(), { once: true });
  }
  return any.signal;
}

/** Does the work while no other tab does work of that name, where the browser has locks; else at once. */
async function exclusively(name, work) {
  let began = false;
  const begin = () => { began = true; return work(); };
  try { return await (globalThis.navigator?.locks?.request(name, { signal: AbortSignal.timeout(requestTimeout) }, begin) ?? begin()); }
  catch (error) {
    if (began) throw error;
    return work(); // locks are blocked where storage is, and a tab that sleeps may keep one
  }
}

/**
 * One visitor's way to the server. The visitor becomes another one when the server no longer takes the token, or when another tab has begun again. Whatever
 * was known of the conversation is then the other visitor's: requests under way end, positions count for nothing, and `onAnew` is called.
 */
export class Transport {
  #base;
  #lock;
  #store;
  #visitor;
  #asking;
  #present = new AbortController(); // ends what is under way for a visitor who is no longer this one
  #position = null; // the last sequence seen; null while the page's own count is of this visitor's conversation
  #conversation = null;

  /** Called when the visitor has become another one. */
  onAnew = () => {};

  /** Called when the conversation has become another one of the same visitor: what was shown is gone from the server. */
  onReset = () => {};

  constructor(channelId, store) {
    this.#base = new URL(`/v1/web/${channelId}/`, location.href).href;
    this.#lock = `agentplatform.${channelId}.visitor`;
    this.#store = store;
    this.#visitor = store.get('visitor');
    store.watch('visitor', () => this.#adopt());
  }

  /** True when this browser has written in this channel before. */
  get isKnown() { return this.#visitor !== null; }

  /** Who writes, once a token is there. */
  async visitorId() {
    await this.#token();
    return this.#visitor.visitorId;
  }

  /** Ends when the visitor becomes another one. */
  get present() { return this.#present.signal; }

  /** Stores one message; the same id again changes nothing. */
  send(message) { return this.#json('POST', 'messages', message); }

  /** A page of messages: the newest, or those before a sequence. */
  async history(before) {
    const page = await this.#json('GET', before ? `messages?before=${before}&limit=50` : 'messages?limit=50', undefined, !before);
    this.#sawAll(page.items);
    return page;
  }

  /** All messages after a sequence. */
  async since(sequence) {
    const items = [];
    for (let after = sequence; after !== null;) {
      const page = await this.#json('GET', `messages?after=${after}&limit=200`, undefined, false);
      items.push(...page.items);
      after = page.nextCursor;
    }
    this.#sawAll(items);
    return items;
  }

  /** To be called with each message that is shown; false when it is of a conversation that took the place of the one known until now. */
  saw(message) {
    const isAnother = this.#conversation && message.conversationId && message.conversationId !== this.#conversation;
    if (isAnother) this.reset();
    else if (this.#position !== null) this.#position = Math.max(this.#position, message.sequence);
    this.#conversation = message.conversationId ?? this.#conversation;
    return !isAnother;
  }

  #sawAll(messages) {
    if (!messages.every(message => this.saw(message))) throw new Passing('the conversation is another one now');
  }

  /** The conversation that was shown is no longer the visitor's. */
  reset() {
    this.rewind(0);
    this.onReset();
  }

  /** Where events go on after; the page's own count is `lastSequence`. */
  position(lastSequence) { return this.#position ?? lastSequence; }

  /** The next stream goes on after that, whatever the page has counted. */
  rewind(sequence) {
    this.#position = sequence;
    if (sequence === 0) this.#conversation = null;
  }

  /**
   * Reads events until `signal` ends it or the connection breaks (then it throws). `events` has `open()`, and a function for each kind of event:
   * `message`, `typing`, `replaced`; and `alive()` for every sign of life, if it likes. Resumes after `lastSequence()`.
   */
  async listen(lastSequence, events, signal) {
    const own = new AbortController();
    const end = () => own.abort();
    signal.addEventListener('abort', end, { once: true });
    let watchdog = setTimeout(end, silence);
    try {
      const response = await this.#fetch('GET', 'events', {
        headers: () => ({ accept: 'text/event-stream', 'last-event-id': String(this.position(lastSequence())) }), signal: own.signal,
      });
      const present = this.present;
      events.open();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Passing('the stream ended');
        if (present.aborted) throw new Passing('the visitor is another one now');
        events.alive?.();
        clearTimeout(watchdog);
        watchdog = setTimeout(end, silence);
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split('\n').filter(line => line && line[0] !== ':').map(line => {
            const at = line.indexOf(':');
            return [line.slice(0, at), line.slice(at + 1).trimStart()];
          }));
          if (!fields.data) continue;
          const data = JSON.parse(fields.data);
          if (fields.event === 'reset') this.reset();
          if (fields.event === 'message') this.#sawAll([data]);
          events[fields.event]?.(data);
        }
      }
    } catch (error) {
      throw error instanceof Refused || error instanceof Passing ? error : new Passing(String(error));
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener('abort', end);
      own.abort();
    }
  }

  async #json(method, path, body, isForAnyVisitor = true) {
    const began = this.present;
    const response = await this.#fetch(method, path, {
      body: body && JSON.stringify(body),
      headers: () => body ? { 'content-type': 'application/json' } : {},
      signal: AbortSignal.timeout(requestTimeout),
      began: isForAnyVisitor ? null : began,
    });
    try { return await response.json(); }
    catch (error) { throw new Passing(String(error)); }
  }

  async #fetch(method, path, options, tries = 3) {
    const token = await this.#token();
    const present = this.present;
    if (options.began?.aborted) throw new Passing('the visitor is another one now');
    const response = await this.#raw(method, path, {
      body: options.body, headers: { ...options.headers(), authorization: `Bearer ${token}` }, signal: either(options.signal, present),
    });
    if (response.status !== 401) return this.#checked(response);
    if (tries === 1) throw new Passing('no token is taken');
    await this.#refresh(token, true);
    return this.#fetch(method, path, options, tries - 1);
  }

  async #raw(method, path, options) {
    try { return await fetch(this.#base + path, { method, cache: 'no-store', credentials: 'omit', ...options }); }
    catch (error) { throw new Passing(String(error)); }
  }

  #checked(response) {
    if (response.ok) return response;
    if ([408, 409, 425, 429].includes(response.status) || response.status >= 500) {
      throw new Passing(`status ${response.status}`, Math.min(60_000, 1000 * (Number(response.headers.get('retry-after')) || 0)));
    }
    throw new Refused(response.status);
  }

  async #token() {
    this.#adopt();
    const left = this.#visitor ? this.#left() : 0;
    if (!(left > 0)) await this.#refresh(this.#visitor?.token);
    else if (left < 500 * this.#visitor.expiresIn) this.#refresh(this.#visitor.token).catch(() => {}); // half is over: there is time to try again
    return this.#visitor.token;
  }

  /** Milliseconds until the token ends, by how long it was held here: the visitor's clock may be wrong. */
  #left() {
    const { since, expiresAt, expiresIn } = this.#visitor;
    return (since ? since + 1000 * expiresIn : Date.parse(expiresAt)) - Date.now();
  }

  /** Takes over what another tab has stored; false when there is nothing new. */
  #adopt(isRefused = false) {
    const stored = this.#store.get('visitor');
    if (!stored?.token || stored.token === this.#visitor?.token) return false;
    this.#become(stored, isRefused);
    return true;
  }

  #become(visitor, isRefused) {
    const before = this.#visitor;
    this.#visitor = visitor;
    if (!before || (before.visitorId ? before.visitorId === visitor.visitorId : !isRefused)) return;
    this.rewind(0);
    const present = this.#present;
    this.#present = new AbortController();
    present.abort();
    this.onAnew();
  }

  /** One request at a time in all tabs; a token that the server no longer takes makes this browser a new visitor. */
  #refresh(token, isRefused = false) {
    return this.#asking ??= exclusively(this.#lock, async () => {
      if (this.#adopt(isRefused)) return;
      const ask = body => this.#raw('POST', 'visitors', { body: JSON.stringify(body), headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(requestTimeout) });
      let response = await ask(token ? { token } : {});
      if (response.status === 401 && token) {
        isRefused = true;
        response = await ask({});
      }
      const visitor = { ...await this.#checked(response).json(), since: Date.now() };
      this.#store.set('visitor', visitor);
      this.#become(visitor, isRefused);
    }).finally(() => { this.#asking = undefined; });
  }
}
