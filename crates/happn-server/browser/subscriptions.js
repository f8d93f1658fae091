// Who listens to what. Listeners that ask the server for the same share one subscription there:
// a *group*. The first of a group subscribes, the last one unsubscribes.

class Subscriptions {
  constructor() {
    this._lastHandle = -1;
    this._groups = new Map();
    // The same groups by what events name.
    this._channels = new Map();
  }

  /// Adds a listener. `group.ready` is unset when nobody has asked the server for it yet.
  add(channel, options, handler) {
    const path = pathOf(channel);
    this._lastHandle += 1;
    const initial = Boolean(options.initialCallback || options.initialEmit);
    const listener = {
      handle: this._lastHandle,
      handler,
      count: options.count || 0,
      calls: 0,
      // An event that reaches deeper than the listener asked for is another listener's.
      depth: isVariableDepth(path) ? options.depth : Infinity,
    };
    const key = initial ? `initial ${listener.handle}` : groupKey(channel, options);
    let group = this._groups.get(key);
    if (!group) {
      group = { key, channel, path, options, reference: null, ready: null, listeners: [] };
      this._groups.set(key, group);
      if (!this._channels.has(channel)) this._channels.set(channel, new Set());
      this._channels.get(channel).add(group);
    }
    group.listeners.push(listener);
    return { group, listener };
  }

  /// Takes a listener away. Answers its group if that is empty now.
  remove(handle) {
    for (const group of this._groups.values()) {
      const at = group.listeners.findIndex((listener) => listener.handle === handle);
      if (at >= 0) {
        group.listeners.splice(at, 1);
        if (group.listeners.length > 0) return null;
        this.forget(group);
        return group;
      }
    }
    return null;
  }

  forget(group) {
    group.listeners = [];
    if (!this.has(group)) return;
    this._groups.delete(group.key);
    const others = this._channels.get(group.channel);
    others.delete(group);
    if (others.size === 0) this._channels.delete(group.channel);
  }

  clear() {
    this._groups.clear();
    this._channels.clear();
  }

  groups() {
    return Array.from(this._groups.values());
  }

  has(group) {
    return this._groups.get(group.key) === group;
  }

  /// Calls whoever listens on `channel`; `done` gets the handle of a listener that has had all it
  /// wanted. Each handler gets a copy of its own.
  deliver(channel, data, meta, call, done) {
    const groups = this._channels.get(channel);
    if (!groups) return;
    const listeners = [];
    groups.forEach((group) => listeners.push(...group.listeners));
    listeners.sort((a, b) => a.handle - b.handle);
    const text = JSON.stringify(data);
    for (const listener of listeners) {
      if (listener.depth < meta.depth) continue;
      listener.calls += 1;
      if (listener.count > 0 && listener.calls > listener.count) continue;
      if (listener.calls === listener.count) done(listener.handle);
      call(listener.handler, JSON.parse(text), meta);
    }
  }
}

function groupKey(channel, options) {
  const { event_type, count, meta, depth, merge } = options;
  return JSON.stringify([channel, event_type, count, meta, depth, merge]);
}

/// Which paths a change in the server's directory of users may have closed to us: to ask for
/// again, and to give up without asking.
function pathsAffected({ whatHappnd, changedData }) {
  const permissions = Object.assign({}, changedData && changedData.permissions);
  const concernsListening = (actions) => Array.isArray(actions) && (actions.includes('*') || actions.includes('on'));
  const paths = Object.keys(permissions);
  switch (whatHappnd) {
    case 'permission-removed': {
      const listening = concernsListening([changedData.action]);
      return { again: listening ? [changedData.path] : [], gone: [] };
    }
    case 'unlink-group':
      return { again: paths.filter((path) => concernsListening(permissions[path].actions)), gone: [] };
    case 'upsert-group':
    case 'upsert-user':
      return {
        again: paths.filter((path) => permissions[path].remove && concernsListening(permissions[path].actions)),
        gone: paths.filter((path) => concernsListening(permissions[path].prohibit)),
      };
    default:
      return { again: [], gone: [] };
  }
}
