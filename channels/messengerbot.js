// Teiji for MessengerBot R: fetches what is to be typed, types it, and says whether it could.
// The next two lines are filled in by the account's page in Teiji. Keep the token secret.
var ADDRESS = 'https://teiji.example/pull/00000000-0000-4000-8000-000000000000/';
var TOKEN = 'mb_…';

var EVERY_SECONDS = 3;
var TIMEOUT_SECONDS = 10;
var MEMORY = 'sdcard/teiji-messengerbot.json'; // survives a restart of the phone

var busy = false;
var fetchName = newName();
// The last message: {id, shown}. shown is null from before it is typed until it was.
var last = remembered();

function tick() {
  if (busy) return;
  busy = true;
  try {
    if (last && last.shown !== null && !last.told) tell();
    if (!last || last.told || last.shown === null) fetchAndShow();
  } catch (error) {
    // The network, or Teiji, is away: the next tick tries again.
  } finally {
    busy = false;
  }
}

function fetchAndShow() {
  // The same name until an answer has come: a repeated question gets the same message again.
  var began = new Date().getTime();
  var message = call('GET', 'next', null);
  fetchName = newName();
  if (!message.id) return;
  if (last && last.id === message.id) {
    if (last.shown !== null) tell();
    return; // it was typed, or may have been: never twice
  }
  remember({ id: message.id, shown: null, told: false });
  if (new Date().getTime() - began > message.seconds * 1000) {
    last.shown = false;
    last.why = 'The phone was too slow.';
  } else {
    show(message.room, message.text);
  }
  if (last.shown === null) return; // nobody knows: Teiji asks a person
  remember(last);
  tell();
}

function show(room, text) {
  var result;
  if (typeof Api !== 'undefined' && typeof Api.replyRoom === 'function') {
    result = Api.replyRoom(room, text);
  } else {
    result = BotManager.getCurrentBot().send(room, text);
  }
  if (result === true) last.shown = true;
  if (result === false) {
    last.shown = false;
    last.why = 'The app knows no such room: it must see a message from it first.';
  }
}

function tell() {
  call('POST', 'ack', JSON.stringify({ id: last.id, shown: last.shown, why: last.why || '' }));
  last.told = true;
  remember(last);
}

function call(method, path, body) {
  var request = org.jsoup.Jsoup.connect(ADDRESS + path);
  request.header('Authorization', 'Bearer ' + TOKEN);
  request.header('Teiji-Fetch', fetchName);
  request.header('Content-Type', 'application/json');
  request.ignoreContentType(true);
  request.ignoreHttpErrors(true);
  request.followRedirects(false);
  request.timeout(TIMEOUT_SECONDS * 1000);
  request.method(org.jsoup.Connection.Method[method]);
  if (body !== null) request.requestBody(body);
  var answer = request.execute();
  var status = answer.statusCode();
  // A message that Teiji does not know any more need not be told of again.
  if (status !== 200 && !(path === 'ack' && status === 404)) throw new Error('HTTP ' + status);
  return JSON.parse(String(answer.body()));
}

function remember(message) {
  last = message;
  FileStream.write(MEMORY, JSON.stringify(last));
}

function remembered() {
  try {
    return JSON.parse(String(FileStream.read(MEMORY)));
  } catch (error) {
    return null;
  }
}

function newName() {
  var name = '';
  while (name.length < 24) name += Math.random().toString(36).slice(2);
  return name.slice(0, 24);
}

var timer = setInterval(tick, EVERY_SECONDS * 1000);

function onStartCompile() {
  clearInterval(timer); // a newer copy of this script takes over
}

function response() {
  // Messages of people are none of our business. The app only needs to have seen one.
}
