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
  #memory = new Map();
  constructor(channelId) { this.#prefix = `agentplatform.${channelId}.`; }
  get(key) {
    try { return JSON.parse(localStorage.getItem(this.#prefix + key)) ?? this.#memory.get(key) ?? null; }
    catch { return this.#memory.get(key) ?? null; }
  }
  set(key, value) {
    this.#memory.set(key, value);
    try { localStorage.setItem(this.#prefix + key, JSON.stringify(value)); }
    catch { /* storage is blocked or full: memory has it */ }
  }
}

const silence = 45_000; // the server's heartbeat comes every 15 seconds
const requestTimeout = 20_000;

export class Transport {
  #base;
  #store;
  #visitor;
  #asking;

  constructor(channelId, store) {
    this.#base = new URL(`/v1/web/${channelId}/`, location.href).href;
    this.#store = store;
    this.#visitor = store.get('visitor');
  }

  /** True when this browser has written in this channel before. */
  get isKnown() { return this.#visitor !== null; }

  /** Stores one message; the same id again changes nothing. */
  send(message) { return this.#json('POST', 'messages', message); }

  /** A page of messages: the newest, or those before a sequence. */
  history(before) { return this.#json('GET', before ? `messages?before=${before}&limit=50` : 'messages?limit=50'); }

  /**
   * Reads events until `signal` ends it or the connection breaks (then it throws). `events` has `open()`, and a function for each kind of event:
   * `message`, `typing`. Resumes after `lastSequence()`.
   */
  async listen(lastSequence, events, signal) {
    const own = new AbortController();
    const end = () => own.abort();
    signal.addEventListener('abort', end, { once: true });
    let watchdog = setTimeout(end, silence);
    try {
      const response = await this.#fetch('GET', 'events', { headers: { accept: 'text/event-stream', 'last-event-id': String(lastSequence()) }, signal: own.signal });
      events.open();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) throw new Passing('the stream ended');
        clearTimeout(watchdog);
        watchdog = setTimeout(end, silence);
        const blocks = (rest + value).split('\n\n');
        rest = blocks.pop();
        for (const block of blocks) {
          const fields = Object.fromEntries(block.split('\n').filter(line => line && line[0] !== ':').map(line => {
            const at = line.indexOf(':');
            return [line.slice(0, at), line.slice(at + 1).trimStart()];
          }));
          if (fields.data) events[fields.event]?.(JSON.parse(fields.data));
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

  async #json(method, path, body) {
    const response = await this.#fetch(method, path, {
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: AbortSignal.timeout(requestTimeout),
    });
    return response.json();
  }

  async #fetch(method, path, options, isSecondTry = false) {
    const token = await this.#token();
    const response = await this.#raw(method, path, { ...options, headers: { ...options.headers, authorization: `Bearer ${token}` } });
    if (response.status === 401 && !isSecondTry) {
      await this.#refresh(token);
      return this.#fetch(method, path, options, true);
    }
    return this.#checked(response);
  }

  async #raw(method, path, options) {
    try { return await fetch(this.#base + path, { method, cache: 'no-store', credentials: 'omit', ...options }); }
    catch (error) { throw new Passing(String(error)); }
  }

  #checked(response) {
    if (response.ok) return response;
    if (response.status === 429 || response.status === 408 || response.status >= 500) {
      throw new Passing(`status ${response.status}`, 1000 * (Number(response.headers.get('retry-after')) || 0));
    }
    throw new Refused(response.status);
  }

  async #token() {
    const stored = this.#store.get('visitor'); // another tab may have renewed it
    if (stored) this.#visitor = stored;
    const left = this.#visitor ? Date.parse(this.#visitor.expiresAt) - Date.now() : 0;
    if (left <= 0) await this.#refresh(this.#visitor?.token);
    else if (left < 500 * this.#visitor.expiresIn) this.#refresh(this.#visitor.token).catch(() => {}); // half is over: there is time to try again
    return this.#visitor.token;
  }

  /** One request at a time; a token that the server no longer takes makes this browser a new visitor. */
  #refresh(token) {
    return this.#asking ??= (async () => {
      try {
        const ask = body => this.#raw('POST', 'visitors', { body: JSON.stringify(body), headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(requestTimeout) });
        let response = await ask(token ? { token } : {});
        if (response.status === 401 && token) response = await ask({});
        this.#visitor = await this.#checked(response).json();
        this.#store.set('visitor', this.#visitor);
      } finally { this.#asking = undefined; }
    })();
  }
}
