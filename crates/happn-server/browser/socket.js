// A connection that comes back by itself: a websocket, the control strings of the server's
// heartbeat, and a back-off between attempts.
//
// It fires, with what listeners get in parentheses:
//   open ()                        the connection is there, the first time and every time after
//   data (message)                 one decoded message of the server
//   error (error)                  the first attempt failed, or a frame could not be read
//   timeout (error)                the first attempt took too long
//   close ()                       an open connection is gone
//   reconnect scheduled (attempt)  the next attempt is `attempt.scheduled` milliseconds away
//   reconnect (attempt)            an attempt begins
//   reconnect timeout (error, attempt)
//   reconnected (attempt)          an attempt succeeded
//   reconnect failed (error, attempt)  no attempts are left
//   end ()                         closed on purpose, by either side, or given up for good

const OPENING = 1;
const CLOSED = 2;
const OPEN = 3;

const SOCKET_DEFAULTS = { timeout: 30000, pingTimeout: 45000 };
const BACKOFF_DEFAULTS = { min: 500, max: 180000, factor: 2, retries: Infinity, 'reconnect timeout': 30000 };

class Socket {
  constructor(url, options) {
    const given = Object.assign({}, options);
    this.options = Object.assign({}, SOCKET_DEFAULTS, given);
    this.options.reconnect = backoffOptions(given.reconnect);
    this.address = websocketAddress(url);
    this.readyState = CLOSED;
    this._handlers = new Map();
    this._websocket = null;
    this._attempt = null;
    this._timers = {};
    this._wake = () => this._attemptNow();
    if (!this.options.manual) this._arm('open', 0, () => this.open());
  }

  on(name, handler) {
    if (!this._handlers.has(name)) this._handlers.set(name, []);
    this._handlers.get(name).push(handler);
    return this;
  }

  once(name, handler) {
    const wrapped = (...values) => {
      this.off(name, wrapped);
      handler.apply(this, values);
    };
    return this.on(name, wrapped);
  }

  off(name, handler) {
    const left = (this._handlers.get(name) || []).filter((other) => other !== handler);
    this._handlers.set(name, left);
    return this;
  }

  removeListener(name, handler) {
    return this.off(name, handler);
  }

  emit(name, ...values) {
    const handlers = this._handlers.get(name) || [];
    handlers.slice().forEach((handler) => handler.apply(this, values));
    return handlers.length > 0;
  }

  open() {
    if (this.readyState !== CLOSED || this._attempt) return this;
    listenForNetwork(this._wake);
    this._dial(this.options.timeout);
    return this;
  }

  /// Sends one message. False when there is no connection to send it on.
  write(message) {
    if (this.readyState !== OPEN) return false;
    this._websocket.send(encodeFrame(message));
    return true;
  }

  /// Closes the connection for good.
  end() {
    if (this.readyState === CLOSED && !this._attempt) {
      this._disarmAll();
      return this;
    }
    const wasOpen = this.readyState === OPEN;
    ignoreNetwork(this._wake);
    this._attempt = null;
    this._forget();
    if (wasOpen) this.emit('close');
    this.emit('end');
    return this;
  }

  /// Gives up an open connection and makes another one, with the usual back-off.
  restart() {
    if (this.readyState === OPEN) this._lost(new Error('restarted'));
  }

  destroy() {
    this.end();
    this._handlers.clear();
    return true;
  }

  _dial(timeout) {
    this.readyState = OPENING;
    let websocket;
    try {
      websocket = new WebSocket(withCacheBuster(this.address));
    } catch (error) {
      this._arm('dial', 0, () => this._lost(error));
      return;
    }
    this._websocket = websocket;
    // What a forgotten websocket still says is nobody's business.
    const current = (action) => (event) => {
      if (this._websocket === websocket) action(event);
    };
    websocket.onopen = current(() => this._opened());
    websocket.onmessage = current((event) => this._received(event.data));
    websocket.onclose = current((event) => this._lost(closeError(this.address, event)));
    websocket.onerror = () => {};
    this._arm('dial', timeout, () => this._dialTimedOut());
  }

  _opened() {
    this.readyState = OPEN;
    this._disarm('dial');
    this._watchPings();
    const attempt = this._attempt;
    this._attempt = null;
    this.emit('open');
    if (attempt) {
      attempt.duration = Date.now() - attempt.start;
      this.emit('reconnected', attempt);
    }
  }

  _dialTimedOut() {
    const error = new Error('connection timed out');
    this._forget();
    if (!this._attempt) {
      this.emit('timeout', error);
      return;
    }
    this.emit('reconnect timeout', error, this._attempt);
    this._schedule(error);
  }

  _lost(error) {
    const before = this.readyState;
    this._forget();
    if (before === OPEN) {
      this.emit('close');
      // A listener may have ended the connection, or opened it again.
      if (this.readyState === CLOSED) this._schedule(error);
    } else if (this._attempt) {
      this._schedule(error);
    } else {
      ignoreNetwork(this._wake);
      this.emit('error', error);
    }
  }

  _schedule(error) {
    const { min, max, factor, retries } = this.options.reconnect;
    const attempt = this._attempt || Object.assign({}, this.options.reconnect, { attempt: 0, start: Date.now() });
    if (attempt.attempt >= retries) {
      this._attempt = null;
      ignoreNetwork(this._wake);
      this.emit('reconnect failed', error, attempt);
      this.emit('end');
      return;
    }
    attempt.attempt += 1;
    attempt.scheduled = backoff(attempt.attempt, min, max, factor);
    this._attempt = attempt;
    this._arm('retry', attempt.scheduled, this._wake);
    this.emit('reconnect scheduled', attempt);
  }

  /// Ends a wait for the next attempt.
  _attemptNow() {
    if (!this._attempt || this.readyState !== CLOSED) return;
    this._disarm('retry');
    this.emit('reconnect', this._attempt);
    this._dial(this.options.reconnect['reconnect timeout']);
  }

  _received(text) {
    if (typeof text !== 'string') return;
    let message;
    try {
      message = JSON.parse(text);
    } catch (error) {
      this.emit('error', new Error(`a frame of the server is not JSON: ${error.message}`));
      return;
    }
    if (typeof message === 'string' && message.startsWith('primus::')) this._controlled(message);
    else this.emit('data', message);
  }

  _controlled(text) {
    if (text.startsWith('primus::ping::')) {
      this.write(text.replace('ping', 'pong'));
      this._watchPings();
    } else if (text === 'primus::server::close') {
      this.end();
    }
  }

  /// The server pings; when it stops, the connection is dead although nobody closed it.
  _watchPings() {
    const limit = this.options.pingTimeout;
    if (limit) this._arm('ping', limit, () => this._lost(new Error(`no ping from the server in ${limit} ms`)));
  }

  _forget() {
    const websocket = this._websocket;
    this._websocket = null;
    this.readyState = CLOSED;
    this._disarmAll();
    if (websocket) websocket.close();
  }

  _arm(name, delay, action) {
    this._disarm(name);
    this._timers[name] = setTimeout(action, delay);
  }

  _disarm(name) {
    clearTimeout(this._timers[name]);
    delete this._timers[name];
  }

  _disarmAll() {
    Object.keys(this._timers).forEach((name) => this._disarm(name));
  }
}

Socket.OPENING = OPENING;
Socket.CLOSED = CLOSED;
Socket.OPEN = OPEN;

/// Where the websocket of the server at `url` is; only scheme, host and query of `url` count.
function websocketAddress(url) {
  let parsed;
  try {
    parsed = new URL(url);
  } catch (error) {
    throw new Error(`the url of a happn server looks like http://host:port, not [${url}]`);
  }
  const secure = parsed.protocol === 'https:' || parsed.protocol === 'wss:';
  return `${secure ? 'wss' : 'ws'}://${parsed.host}/primus${parsed.search}`;
}

function withCacheBuster(address) {
  const stamp = Date.now().toString(36);
  return `${address}${address.includes('?') ? '&' : '?'}_primuscb=${stamp}`;
}

/// Line separators are legal in JSON but were not in JavaScript, so both sides escape them.
function encodeFrame(message) {
  return JSON.stringify(message).replace(/\u2028/g, '\\u2028').replace(/\u2029/g, '\\u2029');
}

function closeError(address, event) {
  const error = new Error(`cannot connect to ${address}, or the connection is lost`);
  error.closeCode = event.code;
  return error;
}

/// What is missing, or 0, is as by default.
function backoffOptions(given) {
  const options = Object.assign({}, given);
  Object.keys(BACKOFF_DEFAULTS).forEach((name) => {
    options[name] = options[name] || BACKOFF_DEFAULTS[name];
  });
  return options;
}

/// Doubles from `min` to `max`, with some randomness so that not all clients come back at once.
function backoff(attempt, min, max, factor) {
  if (attempt === 1) return Math.min(min, max);
  return Math.min(Math.round((1 + Math.random()) * min * Math.pow(factor, attempt - 1)), max);
}

function listenForNetwork(listener) {
  if (typeof window !== 'undefined' && window.addEventListener) window.addEventListener('online', listener);
}

function ignoreNetwork(listener) {
  if (typeof window !== 'undefined' && window.removeEventListener) window.removeEventListener('online', listener);
}
