// What a path may be, and what a channel is called.

const PATH_PATTERN = /^[a-zA-Z0-9/(){}+=&:%@._*\-\s]+$/;
const PATH_ALPHABET =
  'Bad path, can only contain characters a-z A-Z 0-9 / & + = : @ % * ( ) _ -, ' +
  'ie: factory1@I&J(western-cape)/plant1:conveyer_2/stats=true/capacity=10%/*';

/// Throws what the server would answer, so that a bad path costs no round trip.
function checkPath(path, action) {
  if (typeof path !== 'string') throw new Error(`Bad path [${path}], must be a string`);
  if (action === 'set' && path.includes('*')) {
    throw new Error("Bad path, if the action is 'set' the path cannot contain the * wildcard character");
  }
  if (!PATH_PATTERN.test(path)) throw new Error(PATH_ALPHABET);
}

function channelOf(path, eventType) {
  checkPath(path, 'on');
  return `/${eventType.toUpperCase()}@${path}`;
}

function pathOf(channel) {
  return channel.slice(channel.indexOf('@') + 1);
}

function isVariableDepth(path) {
  return path === '**' || path.endsWith('/**');
}

/// Whether `mask` covers `text` when each run of stars stands for any text. Linear: every piece
/// between stars takes the first place where it fits.
function covers(mask, text) {
  const pieces = mask.split(/\*+/);
  const first = pieces.shift();
  if (pieces.length === 0) return mask === text;
  const last = pieces.pop();
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
