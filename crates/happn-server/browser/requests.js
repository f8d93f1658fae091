// Requests under way and their answers.

class Requests {
  /// `write` sends one message and tells whether it could.
  constructor(write) {
    this._write = write;
    this._lastId = 0;
    this._pending = new Map();
    this._reports = new Map();
  }

  nextId() {
    this._lastId += 1;
    return this._lastId;
  }

  /// Sends `message` and answers what the server answers to it.
  send(message, timeoutMs, label) {
    return new Promise((resolve, reject) => {
      if (!this._write(message)) {
        reject(new Error(`client is disconnected${label}`));
        return;
      }
      const expire = () => this._settle(message.eventId, 'reject', new Error(`api request timed out${label}`));
      this._pending.set(message.eventId, { resolve, reject, timer: setTimeout(expire, timeoutMs) });
    });
  }

  /// Takes a response of the server; one that nobody waits for any more is dropped.
  receive(message) {
    if (Array.isArray(message)) {
      const meta = message.pop() || {};
      this._settle(meta.eventId, 'resolve', message);
      return;
    }
    const meta = message._meta;
    if (meta.status === 'error') this._settle(meta.eventId, 'reject', errorOf(meta.error));
    else this._settle(meta.eventId, 'resolve', resultOf(message));
  }

  /// Calls `onPublished` once, with the report on the publication `id` or when none came in time.
  expectReport(id, onPublished, timeoutMs) {
    const expire = () => this._report(id, new Error('publish timed out'));
    this._reports.set(id, { onPublished, timer: setTimeout(expire, timeoutMs) });
  }

  receiveReport(message) {
    this._report(message.id, message.status === 'error' ? new Error(message.error) : null, message.result);
  }

  /// The connection is gone, and with it the answers.
  failAll(reason) {
    Array.from(this._pending.keys()).forEach((id) => this._settle(id, 'reject', new Error(reason)));
    Array.from(this._reports.keys()).forEach((id) => this._report(id, new Error(reason)));
  }

  _settle(id, how, value) {
    const request = this._pending.get(id);
    if (!request) return;
    this._pending.delete(id);
    clearTimeout(request.timer);
    request[how](value);
  }

  _report(id, error, result) {
    const report = this._reports.get(id);
    if (!report) return;
    this._reports.delete(id);
    clearTimeout(report.timer);
    guarded(() => report.onPublished(error, result));
  }
}

/// What the caller gets of an object response: the data, with its meta attached.
function resultOf(message) {
  if (message.data === null) return null;
  if (message.data === undefined) return message;
  const result = Array.isArray(message.data) ? message.data : Object.assign({}, message.data);
  result._meta = message._meta;
  return result;
}

function errorOf(described) {
  const members = typeof described === 'object' && described ? described : { message: String(described) };
  const error = new Error(members.message);
  return Object.assign(error, members, { name: members.name || error.name });
}

/// An error of somebody's handler must not stop us, and must not be hidden either.
function guarded(action) {
  try {
    action();
  } catch (error) {
    setTimeout(() => {
      throw error;
    }, 0);
  }
}

/// Lets a method that answers a promise be called with a callback as its last argument too.
function inTwoStyles(method) {
  return function (...values) {
    const callback = typeof values[values.length - 1] === 'function' ? values.pop() : null;
    const answer = method.apply(this, values);
    if (!callback) return answer;
    answer.then(
      (value) => guarded(() => callback(null, value)),
      (error) => guarded(() => callback(error))
    );
    return undefined;
  };
}
