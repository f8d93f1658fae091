// A client that is connected and logged in, or on its way there.

const VERSION = '{{version}}';

const STATUS = {
  UNINITIALIZED: 0,
  ACTIVE: 1,
  DISCONNECTED: 2,
  ERROR: 3,
  RECONNECTING: 4,
  CONNECTING: 5,
  CONNECTED: 6,
  DISCONNECTING: 7,
  CONNECT_ERROR: 8,
  RECONNECT_ACTIVE: 9,
};

const LOST = 'the connection was lost before the server answered';

class SessionKeeper {
  constructor(options) {
    this.options = prepareOptions(options);
    this.log = loggerOf(this.options);
    this.status = STATUS.UNINITIALIZED;
    this.session = null;
    this.serverInfo = null;
    this.socket = null;
    this._eventHandlers = {};
    this._systemHandlers = [];
    this._requests = new Requests((message) => this.socket !== null && this.socket.write(message));
    this._retryDelay = 0;
    this._retryTimer = null;
    // Connecting and disconnecting wait for each other.
    this._changes = Promise.resolve();
  }

  // === What the application hears ===

  /// Calls `handler` on `connection-ended`, `reconnect-scheduled`, `reconnect`,
  /// `reconnect-successful`, `reconnect-error`, `reconnect-timeout`, `session-ended`,
  /// `connect-error` or `error`. Answers a handle for `offEvent`.
  onEvent(name, handler) {
    if (!name) throw new Error('event name cannot be blank or null');
    if (typeof handler !== 'function') throw new Error('event handler must be a function');
    const handlers = this._eventHandlers[name] || [];
    this._eventHandlers[name] = handlers;
    handlers.push(handler);
    return `${name}|${handlers.length - 1}`;
  }

  offEvent(handle) {
    const at = String(handle).lastIndexOf('|');
    const handlers = this._eventHandlers[String(handle).slice(0, at)];
    // The places of the others are their handles.
    if (handlers) handlers[Number(String(handle).slice(at + 1))] = null;
  }

  emit(name, data) {
    const handlers = this._eventHandlers[name] || [];
    handlers.filter(Boolean).forEach((handler) => guarded(() => handler.call(handler, data)));
  }

  onSystemMessage(handler) {
    this._systemHandlers.push(handler);
    return this._systemHandlers.length - 1;
  }

  offSystemMessage(index) {
    this._systemHandlers.splice(index, 1);
  }

  // === Coming and going ===

  connect() {
    return this._change(() => this._connect());
  }

  /// `revokeToken` (or `revokeSession`) ends the token for everybody, `disconnectChildSessions`
  /// the sessions made with it, `deleteCookie` takes it out of the browser.
  disconnect(options) {
    return this._change(() => this._disconnect(options || {}));
  }

  stop() {
    return this.disconnect();
  }

  logout() {
    return this.disconnect({ revokeToken: true });
  }

  _change(action) {
    const done = this._changes.then(action);
    this._changes = done.catch(() => {});
    return done;
  }

  async _connect() {
    if (this.socket) this.socket.destroy();
    this.status = STATUS.CONNECTING;
    this.socket = new Socket(this.options.url, this.options.socket);
    try {
      await firstOpening(this.socket);
      this._listenTo(this.socket);
      await this._login();
    } catch (error) {
      this.socket.destroy();
      this.status = STATUS.CONNECT_ERROR;
      throw error;
    }
    this.status = STATUS.ACTIVE;
    return this;
  }

  _listenTo(socket) {
    socket.on('data', (message) => this._received(message));
    socket.on('close', () => this._ended());
    socket.on('end', () => {
      if (this.status !== STATUS.DISCONNECTED) this._ended();
    });
    socket.on('error', (error) => {
      this.log.error('socket error', error);
      this.emit('error', error);
    });
    socket.on('reconnect scheduled', (attempt) => {
      this.status = STATUS.RECONNECTING;
      this.emit('reconnect-scheduled', attempt);
    });
    socket.on('reconnect timeout', (error, attempt) => {
      this.status = STATUS.DISCONNECTED;
      this.emit('reconnect-timeout', { err: error, opts: attempt });
    });
    socket.on('reconnected', (attempt) => this._comeBack(socket, attempt));
  }

  _ended() {
    this.status = STATUS.DISCONNECTED;
    clearTimeout(this._retryTimer);
    this._requests.failAll(LOST);
    this.emit('connection-ended', this.session ? this.session.id : undefined);
  }

  async _disconnect(options) {
    clearTimeout(this._retryTimer);
    const socket = this.socket;
    let refused = null;
    if (socket) {
      if (options.deleteCookie && IN_BROWSER && this.session) writeCookie(this.session, this._isSecure(), '');
      if (this._isConnected()) refused = await this._sayGoodbye(options);
      socket.destroy();
    }
    this.socket = null;
    this._requests.failAll(LOST);
    this._eventHandlers = {};
    this._systemHandlers = [];
    this._subscriptions.clear();
    this.status = STATUS.DISCONNECTED;
    if (refused) throw refused;
  }

  /// Answers why a token could not be revoked; the connection is to be closed in any case.
  async _sayGoodbye({ revokeToken, revokeSession, disconnectChildSessions }) {
    try {
      if (revokeToken || revokeSession) await this._system('revoke-token', null);
      else if (disconnectChildSessions) await this._system('disconnect-child-sessions', null);
      return null;
    } catch (error) {
      this.log.warn('the session could not be ended on the server', error);
      return revokeToken || revokeSession ? error : null;
    }
  }

  /// A new connection needs a new session, with the old subscriptions.
  async _comeBack(socket, attempt) {
    this.status = STATUS.RECONNECT_ACTIVE;
    this.emit('reconnect', attempt);
    let reason = 'authentication-failed';
    try {
      await this._login();
      this.status = STATUS.ACTIVE;
      reason = 'reattach-listeners-failed';
      await this._resubscribe();
    } catch (error) {
      this._comeBackFailed(socket, reason, error);
      return;
    }
    this._retryDelay = 0;
    this.emit('reconnect-successful', attempt);
  }

  _comeBackFailed(socket, reason, error) {
    this.log.warn(`reconnect failed: ${reason}`, error);
    this.emit('reconnect-error', { reason, error });
    // A connection that is gone comes back by itself.
    if (socket !== this.socket || !this._isConnected()) return;
    this.status = STATUS.ERROR;
    const { reconnectWait, retryOnSocketErrorMaxInterval } = this.options;
    this._retryDelay = Math.min(this._retryDelay * 2 || reconnectWait, retryOnSocketErrorMaxInterval);
    this._retryTimer = setTimeout(() => socket.restart(), this._retryDelay);
  }

  // === Logging in ===

  async _login() {
    try {
      await this._system('configure-session', { protocol: PROTOCOL, version: VERSION, browser: IN_BROWSER });
      this.serverInfo = await this._system('describe', null);
    } catch (error) {
      this.emit('connect-error', error);
      throw error;
    }
    const credentials = credentialsFor(this.options, this.serverInfo);
    const attempt = () => this._system('login', credentials, this.options.loginTimeout);
    const session = await patiently(attempt, this.options, () => this._isConnected());
    delete session._meta;
    this.session = session;
    if (IN_BROWSER && session.token && !credentials.useCookie) {
      writeCookie(session, this._isSecure(), session.token);
    }
  }

  _isSecure() {
    return this.options.url.startsWith('https');
  }

  _isConnected() {
    return this.socket !== null && this.socket.readyState === Socket.OPEN;
  }

  /// A request that concerns the session and no path.
  _system(action, data, timeout) {
    const sessionId = this.session ? this.session.id : undefined;
    const message = { action, eventId: this._requests.nextId(), data, sessionId };
    return this._requests.send(message, timeout || this.options.callTimeout, `, action: ${action}`);
  }

  // === What the server says ===

  _received(message) {
    if (Array.isArray(message)) {
      this._requests.receive(message);
      return;
    }
    if (!message || !message._meta) {
      this.log.warn('a message of the server without _meta is ignored', message);
      return;
    }
    switch (message._meta.type) {
      case 'data':
        this._eventArrived(message);
        break;
      case 'system':
        this._systemArrived(message);
        break;
      case 'ack':
        this._requests.receiveReport(message);
        break;
      default:
        this._requests.receive(message);
    }
  }

  _systemArrived({ eventKey, data }) {
    if (eventKey === 'server-side-disconnect') {
      this.status = STATUS.DISCONNECTED;
      this.emit('session-ended', data);
    }
    if (eventKey === 'security-data-changed') this._securityChanged(data);
    this._systemHandlers.slice().forEach((handler) => guarded(() => handler(eventKey, data)));
  }
}

function firstOpening(socket) {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
    socket.once('timeout', reject);
    socket.open();
  });
}
