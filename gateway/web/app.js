// The page: who you are, which board, and what can be done with it.

import { connect, presence } from '/client.js';
import { Board } from './board.js';
import { avatar } from './card.js';
import { fileList } from './files.js';
import { Server } from './server.js';
import { make, text, attribute, arrange } from './dom.js';
import { pleasantName, wording } from './words.js';

const $ = (selector) => document.querySelector(selector);
const query = new URLSearchParams(location.search);
const boardID = query.get('board') || 'demo';
let user = query.get('user') || localStorage.getItem('snapback.user') || pleasantName();
let token = sessionStorage.getItem('snapback.token') || '';
let server = null; // what is asked for over HTTP
let store = null;
let present = null;

const act = {
  uploads: new Map(), // card id or '' -> names on their way
  looking: '', // card that has the focus or is dragged
  get store() { return store; },
  get server() { return server; },
  toast,
  change: (id, patch) => store.mutate(id, patch),
  create: (kind, fields) => store.create(kind, fields),
  move(id, columnId, above) {
    const card = store.get(id);
    if (!card) return;
    const list = board.cardsOf(columnId);
    const at = list.findIndex((c) => c.id === id);
    if (at >= 0 && (list[at - 1]?.id ?? null) === above) return; // stands there already
    act.change(id, { ...(card.columnId === columnId ? {} : { columnId }), position: { after: above } });
  },
  // step moves a card by columns or places, as the arrow buttons do.
  step(id, columns, places) {
    const card = store.get(id);
    const all = board.columns();
    const column = all[all.findIndex((c) => c.id === card.columnId) + columns];
    if (!column) return;
    const list = board.cardsOf(column.id);
    if (columns) return act.move(id, column.id, list.at(-1)?.id ?? null);
    const at = list.findIndex((c) => c.id === id) + places;
    if (at >= 0 && at < list.length) act.move(id, column.id, list[places < 0 ? at - 1 : at]?.id ?? null);
  },
  look(id) {
    if (id === act.looking) return;
    act.looking = id;
    present.set(id ? { card: id } : {});
  },
  async upload(list, cardId) {
    await Promise.all([...list].map((file) => send(file, cardId)));
  },
};

const board = new Board($('#board'), act);
const files = fileList('', act);

async function send(file, cardId) {
  const names = act.uploads.get(cardId) ?? [];
  act.uploads.set(cardId, names);
  names.push(file.name);
  render();
  const url = server.content(store.newId());
  url.searchParams.set('name', file.name);
  if (cardId) url.searchParams.set('card', cardId);
  try {
    const answer = await server.fetch(url, { method: 'PUT', body: file, headers: { 'Content-Type': file.type || 'application/octet-stream' } });
    if (!answer.ok) {
      const problem = await answer.json().catch(() => ({}));
      toast(`“${file.name}” was not stored. ${wording({ code: problem.code, details: problem }, store, 'It')}`);
    }
  } catch {
    toast(`“${file.name}” was not stored: no connection.`);
  }
  names.splice(names.indexOf(file.name), 1);
  render();
}

let due = 0;
function render() {
  if (due) return;
  const draw = () => {
    cancelAnimationFrame(due);
    clearTimeout(fallback);
    due = 0;
    drawNow();
  };
  due = requestAnimationFrame(draw);
  const fallback = setTimeout(draw, 120); // frames do not come to a window that is not seen
}

function drawNow() {
  const title = store.get(boardID)?.title ?? boardID;
  text($('#title'), title);
  document.title = `${title} · Snapback`;
  board.render(present.others);
  $('#board').hidden = $('#files').hidden = !store.get(boardID);
  files.update(store.children('', 'file'), act.uploads.get('') ?? []);
  attribute(document.body, 'data-role', store.me?.role ?? null);
  const unsaved = store.inspect().pending.length;
  const words = { live: 'Live', lagging: 'Catching up…', connecting: 'Connecting…', offline: 'Offline, trying again', closed: 'Disconnected' };
  text($('#state'), words[store.status] + (unsaved ? ` · ${unsaved} unsaved` : ''));
  attribute($('#state'), 'data-state', store.status);
  const seen = new Map(present.others.map((p) => [p.user, p.name || p.user]));
  arrange($('#peers'), [...seen.values()].map((name) => avatar($('#peers'), name)));
  const mine = $('#me input');
  if (document.activeElement !== mine) mine.value = token ? store.me?.user ?? '' : user;
  mine.disabled = Boolean(token);
}

async function enter() {
  store?.close();
  server = new Server(boardID, token ? { token } : { user });
  notice('');
  $('#login').hidden = true;
  const entered = (store = connect({ board: boardID, ...(token ? { token } : { user }) }));
  present = presence(store);
  store.subscribe(render);
  store.onSettled(render);
  store.onRollback(rejected);
  present.subscribe(render);
  present.set({}); // here I am
  store.onStatus((status) => {
    if (status === 'closed' && store === entered) closed();
    render();
  });
  render();
  // Who needs a token is told so at once: the socket waits ten seconds for one.
  if (!token && (await server.status()) === 401 && store === entered) {
    store.close();
    login('');
  }
}

function rejected(mutation, why) {
  const ids = mutation.changes.map((c) => c.entityId);
  const e = store.get(ids[0]);
  const name = e?.title ?? e?.name ?? mutation.changes[0].patch?.title ?? 'The change';
  board.reject(ids);
  toast(wording(why, store, `“${name}”`), `“${name}” is as it was.`);
  render();
}

function login(words) {
  $('#login').hidden = false;
  $('#login input').focus();
  notice(words);
}

function closed() {
  switch (store.closeCode) {
    case 1000: return;
    case 4500: return login(token ? 'That token is not valid (any more).' : '');
    case 4502: return notice(store.me ? 'You are no longer a member of this board.' : `There is no board “${boardID}” that you may see. Choose one under Boards.`);
    default: notice('The server speaks another version. Reload the page.');
  }
}

function notice(words) {
  text($('#notice'), words);
  $('#notice').hidden = !words;
}

function toast(words, more = '') {
  const el = make('div', { className: 'toast', onclick: () => el.remove() }, make('strong', { textContent: words }), make('span', { textContent: more }));
  $('#toasts').append(el);
  while ($('#toasts').children.length > 4) $('#toasts').firstChild.remove();
  setTimeout(() => el.remove(), 7000);
}

$('#files').append(make('h2', { textContent: 'Files of the board' }), files.el, make('label', { className: 'tool' }, 'Upload files', make('input', {
  type: 'file', multiple: true, onchange: (e) => { act.upload(e.target.files, ''); e.target.value = ''; },
})));

for (const type of ['dragover', 'drop']) {
  addEventListener(type, (e) => {
    if (!e.dataTransfer?.types.includes('Files')) return;
    e.preventDefault();
    if (type === 'drop') act.upload(e.dataTransfer.files, e.target.closest?.('.card')?.dataset.id ?? '');
  });
}

$('#me').addEventListener('submit', (e) => {
  e.preventDefault();
  $('#me input').blur();
});
$('#me input').addEventListener('change', (e) => {
  user = e.target.value.trim() || user;
  localStorage.setItem('snapback.user', user);
  query.set('user', user);
  history.replaceState(null, '', `?${query}`);
  enter();
});

$('#login').addEventListener('submit', (e) => {
  e.preventDefault();
  token = $('#login input').value.trim();
  sessionStorage.setItem('snapback.token', token);
  enter();
});

$('#boards').addEventListener('toggle', async () => {
  if (!$('#boards').open) return;
  const answer = await server.fetch(server.url('/v1/boards'));
  const list = answer.ok ? (await answer.json()).boards : [];
  arrange($('#boards ul'), list.map((b) => make('li', {}, make('a', { href: link(b.board), textContent: b.title || b.board }))));
});
$('#boards form').addEventListener('submit', async (e) => {
  e.preventDefault();
  const answer = await server.fetch(server.url('/v1/boards'), {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ title: e.target.elements.title.value.trim() }),
  });
  const made = await answer.json();
  if (answer.ok) location.href = link(made.id);
  else toast(wording({ code: made.code, details: made }, store, 'The board'));
});
document.addEventListener('click', (e) => {
  if (!e.target.closest('#boards')) $('#boards').open = false;
});

function link(id) {
  const q = new URLSearchParams({ board: id });
  if (query.has('user')) q.set('user', user);
  return `?${q}`;
}

if (!query.has('user')) localStorage.setItem('snapback.user', user);
enter();
