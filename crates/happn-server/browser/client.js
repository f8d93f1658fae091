// The client itself: the verbs.

const DEFERRED = 1;
const ACKNOWLEDGED = 3;
const PUBLISHED_TIMEOUT = 60000;

class HappnClient extends SessionKeeper {
  constructor(options) {
    super(options);
    this._subscriptions = new Subscriptions();
  }

  async get(path, options) {
    return this._request('get', path, null, options);
  }

  async getPaths(path, options) {
    return this._request('get', path, null, Object.assign({}, options, { options: { path_only: true } }));
  }

  async getCreatedBetween(path, from, to) {
    if (typeof from !== 'number' || isNaN(from)) throw new Error('from is null or not a timestamp');
    if (typeof to !== 'number' || isNaN(to)) throw new Error('to is null or not a timestamp');
    const between = [{ '_meta.created': { $gte: from } }, { '_meta.created': { $lte: to } }];
    return this._request('get', path, null, { criteria: { $and: between } });
  }

  async count(path, options) {
    return this._request('count', path, null, options);
  }

  async set(path, data, options) {
    checkPath(path, 'set');
    const stated = data === null ? Object.assign({}, options, { nullValue: true }) : options;
    return this._write('set', path, data, stated);
  }

  async publish(path, data, options) {
    return this.set(path, data, Object.assign({}, options, { noStore: true, noDataResponse: true }));
  }

  /// (path), (path, increment) or (path, gauge, increment, options)
  async increment(path, ...values) {
    const [gauge, by, options] = values.length < 2 ? ['counter', ...values] : values;
    const increment = by === undefined ? 1 : by;
    if (isNaN(increment)) throw new Error('increment must be a number');
    return this.set(path, gauge, Object.assign({}, options, { increment }));
  }

  async remove(path, options) {
    return this._write('remove', path, null, options);
  }

  async revokeToken() {
    return this._system('revoke-token', null);
  }

  async changePassword(details) {
    return this._system('change-password', details);
  }

  // === Listening ===

  /// (path, handler), (path, options, handler), each with a callback at the end or answering a
  /// promise of the handle that `off` takes.
  on(path, ...values) {
    const [options, handler, callback] = typeof values[0] === 'function' ? [null, ...values] : values;
    const subscribing = this._on(path, options, handler);
    if (typeof callback !== 'function') return subscribing.then(({ handle }) => handle);
    subscribing.then(
      ({ handle, initial }) => guarded(() => (initial ? callback(null, handle, initial) : callback(null, handle))),
      (error) => guarded(() => callback(error))
    );
    return undefined;
  }

  once(path, ...values) {
    const [options, ...rest] = typeof values[0] === 'function' ? [null, ...values] : values;
    return this.on(path, Object.assign({}, options, { count: 1 }), ...rest);
  }

  onAll(handler, callback) {
    return this.on('*', {}, handler, callback);
  }

  async _on(path, given, givenHandler) {
    const options = Object.assign({}, given);
    const handler = typeof givenHandler === 'function' ? givenHandler : options.onPublished;
    if (typeof handler !== 'function') throw new Error('you cannot subscribe without passing in a subscription callback');
    if (!options.event_type || options.event_type === '*') options.event_type = 'all';
    if (!options.count) options.count = 0;
    const channel = channelOf(path, options.event_type);
    if (isVariableDepth(path) && !options.depth) options.depth = this.options.defaultVariableDepth;
    this._checkActive('on', channel);

    const { group, listener } = this._subscriptions.add(channel, options, handler);
    const isFirst = group.ready === null;
    if (isFirst) group.ready = this._subscribe(group, options);
    const answer = await group.ready.catch((error) => {
      // Not the whole group: others may have been there before.
      this._subscriptions.remove(listener.handle);
      throw error;
    });
    if (options.initialEmit) {
      answer.forEach((item) => guarded(() => handler.call(this, item, item._meta)));
    }
    return { handle: listener.handle, initial: options.initialCallback ? answer : null };
  }

  async off(handle) {
    if (handle === undefined || handle === null) throw new Error('handle cannot be null');
    if (typeof handle !== 'number') throw new Error('handle must be a number');
    const emptied = this._subscriptions.remove(handle);
    if (emptied) await this._unsubscribe(emptied);
  }

  /// Takes away every listener whose path `path` covers; a star stands for any text.
  async offPath(path) {
    const mask = path === undefined ? '*' : path;
    const covered = this._subscriptions.groups().filter((group) => covers(mask, group.path));
    covered.forEach((group) => this._subscriptions.forget(group));
    await Promise.all(covered.map((group) => this._unsubscribe(group)));
  }

  async offAll() {
    // At once: who begins to listen while the server is told is not meant.
    this._subscriptions.clear();
    if (this.status === STATUS.ACTIVE) await this._request('off', '*', null, { referenceId: 0 });
  }

  /// Asks the server for what the group wants; answers what the server answered.
  async _subscribe(group, options) {
    const answer = await this._request('on', group.channel, null, options);
    const reference = answer._meta && answer._meta.referenceId;
    group.reference = reference || answer.id;
    return answer;
  }

  async _unsubscribe(group) {
    await group.ready.catch(() => {});
    // A session that comes back no longer asks for it.
    if (this.status !== STATUS.ACTIVE || !group.reference) return;
    await this._request('off', group.channel, null, { referenceId: group.reference });
  }

  _resubscribe() {
    return Promise.all(this._subscriptions.groups().map((group) => this._subscribeAgain(group)));
  }

  /// Without initial values: those the listener has had. Who may not listen any more is forgotten.
  async _subscribeAgain(group) {
    const options = Object.assign({}, group.options);
    delete options.initialCallback;
    delete options.initialEmit;
    group.reference = null;
    group.ready = this._subscribe(group, options);
    try {
      await group.ready;
    } catch (error) {
      if (error.code !== 401 && error.code !== 403) throw error;
      this._subscriptions.forget(group);
    }
    if (!this._subscriptions.has(group)) await this._unsubscribe(group);
  }

  _securityChanged(change) {
    const { again, gone } = pathsAffected(change);
    for (const group of this._subscriptions.groups()) {
      if (gone.includes(group.path)) this._subscriptions.forget(group);
      else if (again.some((path) => group.channel.endsWith(path))) this._askAgain(group);
    }
  }

  async _askAgain(group) {
    try {
      await this._unsubscribe(group);
      await this._subscribeAgain(group);
    } catch (error) {
      this.log.warn(`cannot listen on ${group.channel} any more`, error);
      this._subscriptions.forget(group);
    }
  }

  // === Events ===

  _eventArrived(message) {
    if (message._meta.consistency !== ACKNOWLEDGED) this._deliver(message);
    else this._acknowledge(message).then(() => this._deliver(message));
  }

  async _acknowledge({ _meta: meta }) {
    try {
      await this._request('ack', undefined, meta.publicationId);
      meta.acknowledged = true;
    } catch (error) {
      this.log.warn('an event could not be acknowledged', error);
      meta.acknowledged = false;
      meta.acknowledgedError = error;
    }
  }

  _deliver({ data, _meta: meta }) {
    const call = (handler, copy) => guarded(() => handler.call(this, copy, meta));
    const done = (handle) => {
      this.off(handle).catch((error) => this.log.warn('a subscription could not be taken off', error));
    };
    this._subscriptions.deliver(meta.channel, data, meta, call, done);
  }

  // === Requests ===

  /// A request whose effect is published.
  async _write(action, path, data, options) {
    const consistency = options && options.consistency;
    const reports = consistency === DEFERRED || consistency === ACKNOWLEDGED;
    if (reports && typeof options.onPublished !== 'function') {
      throw new Error('onPublished handler in options is missing');
    }
    return this._request(action, path, data, options, (eventId) => {
      if (!reports) return;
      const id = `${this.session.id}-${eventId}`;
      this._requests.expectReport(id, options.onPublished, options.onPublishedTimeout || PUBLISHED_TIMEOUT);
    });
  }

  async _request(action, path, data, options, beforeSending) {
    this._checkActive(action, path);
    const eventId = this._requests.nextId();
    const message = { action, eventId, path, data, sessionId: this.session.id };
    if (options && typeof options === 'object') message.options = options;
    if (beforeSending) beforeSending(eventId);
    const timeout = (options && options.timeout) || this.options.callTimeout;
    return this._requests.send(message, timeout, ` path: ${path} action: ${action}`);
  }

  _checkActive(action, path) {
    if (this.status === STATUS.ACTIVE) return;
    const error = new Error(INACTIVE[this.status] || 'client not active');
    error.detail = `action: ${action}, path: ${path}`;
    throw error;
  }
}

const INACTIVE = {
  [STATUS.UNINITIALIZED]: 'client not initialized yet',
  [STATUS.DISCONNECTED]: 'client is disconnected',
  [STATUS.ERROR]: 'client in an error state',
  [STATUS.CONNECT_ERROR]: 'client in an error state',
};

[
  'connect disconnect stop get getPaths getCreatedBetween count set publish increment remove',
  'off offPath offAll revokeToken changePassword',
]
  .join(' ')
  .split(' ')
  .forEach((name) => {
    HappnClient.prototype[name] = inTwoStyles(HappnClient.prototype[name]);
  });

/// (), (options) or (options, callback); a client that is connected and logged in.
HappnClient.create = inTwoStyles(async (first, second) => {
  const options = second || first || {};
  const client = new HappnClient(options);
  if (IN_BROWSER && typeof options.cookieEventHandler === 'function') {
    watchCookie(options.cookieEventHandler, options.cookieName, options.interval);
  }
  try {
    return await client.connect();
  } catch (error) {
    await client.disconnect();
    throw error;
  }
});

HappnClient.STATUS = STATUS;
HappnClient.addCookieEventHandler = watchCookie;
HappnClient.clearCookieEventObjects = forgetCookieWatches;

if (typeof module === 'object' && module && module.exports) module.exports = HappnClient;
if (typeof window !== 'undefined') window.HappnClient = HappnClient;
else if (typeof self !== 'undefined') self.HappnClient = HappnClient;
