// A world for the browser client in which nothing happens by itself: a clock that is moved by
// hand, and websockets whose other end is the test.

import { setImmediate } from 'node:timers/promises';

import { fetchClient, run } from './script.js';

/// A clock, a network and the client's script in between.
export async function makeStage() {
  const clock = new Clock();
  const network = new Network();
  const window = { listeners: {}, addEventListener: add, removeEventListener: remove };
  const HappnClient = run(await fetchClient(), {
    WebSocket: network.WebSocket,
    setTimeout: (action, delay) => clock.set(action, delay),
    clearTimeout: (id) => clock.clear(id),
    window,
  });
  return { HappnClient: HappnClient ?? window.HappnClient, clock, network, window };
}

function add(name, listener) {
  this.listeners[name] = [...(this.listeners[name] ?? []), listener];
}

function remove(name, listener) {
  this.listeners[name] = (this.listeners[name] ?? []).filter((other) => other !== listener);
}

class Clock {
  constructor() {
    this.now = 0;
    this.timers = new Map();
    this.lastId = 0;
    /// What timers threw: errors of handlers end here.
    this.thrown = [];
  }

  set(action, delay = 0) {
    this.lastId += 1;
    this.timers.set(this.lastId, { action, at: this.now + delay });
    return this.lastId;
  }

  clear(id) {
    this.timers.delete(id);
  }

  /// Lets `duration` milliseconds pass, and everything that waits for nothing but a promise run.
  async pass(duration) {
    const end = this.now + duration;
    for (;;) {
      await setImmediate();
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (due.length === 0) break;
      const [[id, { action, at }]] = due;
      this.timers.delete(id);
      this.now = at;
      try {
        action();
      } catch (error) {
        this.thrown.push(error);
      }
    }
    this.now = end;
  }
}

/// Every websocket the client made, in order.
class Network {
  constructor() {
    const links = [];
    this.links = links;
    this.WebSocket = class extends Link {
      constructor(url) {
        super(url);
        links.push(this);
      }
    };
  }

  get last() {
    return this.links.at(-1);
  }
}

let sessions = 0;

/// One websocket as the client sees it, and what the test does with it.
class Link {
  constructor(url) {
    this.url = url;
    this.sent = [];
    this.closed = false;
    /// Answers to requests by action; `null` is silence.
    this.answers = {
      'configure-session': () => ({ data: null }),
      describe: () => ({ data: { name: 'stage', secure: false } }),
      login: () => ({ data: { id: `session-${(sessions += 1)}` } }),
      on: (_request, count) => ({ data: { id: `reference-${count}` } }),
      off: () => ({ data: { removed: [] } }),
      set: ({ data }) => ({ data }),
      ack: () => ({ data: null }),
    };
    this.counts = {};
  }

  // === What the client calls ===

  send(text) {
    const message = JSON.parse(text);
    this.sent.push(message);
    if (typeof message === 'string') return;
    const { action, eventId } = message;
    this.counts[action] = (this.counts[action] ?? 0) + 1;
    const answer = this.answers[action]?.(message, this.counts[action]);
    if (!answer) return;
    const { error, ...rest } = answer;
    const status = error ? { status: 'error', error } : { status: 'ok' };
    this.say({ ...rest, _meta: { type: 'response', eventId, action, ...status } });
  }

  close() {
    this.closed = true;
  }

  // === What the test does ===

  open() {
    this.onopen();
  }

  say(message) {
    this.sayText(JSON.stringify(message));
  }

  sayText(text) {
    queueMicrotask(() => this.onmessage({ data: text }));
  }

  publish(channel, data, meta = {}) {
    const path = channel.split('@')[1];
    this.say({ data, _meta: { type: 'data', action: `/SET@${path}`, path, channel, ...meta } });
  }

  cut() {
    this.closed = true;
    this.onclose({ code: 1006 });
  }

  requests(action) {
    return this.sent.filter((message) => message.action === action);
  }
}
