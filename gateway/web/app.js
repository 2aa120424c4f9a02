// The page: who you are, which board, and what can be done with it.

import { Store } from './store.js';
import { Connection, api, credentials, ulid } from './connection.js';
import { Board } from './board.js';
import { avatar } from './card.js';
import { fileList, contentPath } from './files.js';
import { make, text, attribute, arrange } from './dom.js';
import { pleasantName, wording } from './words.js';

const $ = (selector) => document.querySelector(selector);
const query = new URLSearchParams(location.search);
const boardID = query.get('board') || 'demo';
let user = query.get('user') || localStorage.getItem('snapback.user') || pleasantName();
let token = sessionStorage.getItem('snapback.token') || '';
let connection = null;
let state = 'connecting';
let store = null;

const act = {
  uploads: new Map(), // card id or '' -> names on their way
  looking: '', // card that has the focus or is dragged
  get store() { return store; },
  connection: () => connection,
  toast,
  change: (id, patch) => connection.mutate({ entityId: id, patch }),
  create: (kind, fields) => connection.mutate({ entityId: ulid(connection.now()), patch: { kind, ...fields } }),
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
    connection.presence(id ? { card: id } : {});
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
  const url = api(contentPath(boardID, ulid(connection.now())), connection);
  url.searchParams.set('name', file.name);
  if (cardId) url.searchParams.set('card', cardId);
  try {
    const answer = await fetch(url, { method: 'PUT', body: file, headers: { 'Content-Type': file.type || 'application/octet-stream', ...credentials(connection) } });
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
  board.render(connection.peers);
  $('#board').hidden = $('#files').hidden = !store.get(boardID);
  files.update(store.children('file'), act.uploads.get('') ?? []);
  attribute(document.body, 'data-role', connection.role || null);
  const unsaved = store.pending.size;
  const words = { live: 'Live', connecting: 'Connecting…', offline: 'Offline, trying again', stopped: 'Disconnected' };
  text($('#state'), words[state] + (unsaved ? ` · ${unsaved} unsaved` : ''));
  attribute($('#state'), 'data-state', state);
  const seen = new Map([...connection.peers.values()].map((p) => [p.user, p.name || p.user]));
  arrange($('#peers'), [...seen.values()].map((name) => avatar($('#peers'), name)));
  const mine = $('#me input');
  if (document.activeElement !== mine) mine.value = token ? store.user : user;
  mine.disabled = Boolean(token);
}

function enter() {
  connection?.close();
  store = new Store();
  notice('');
  $('#login').hidden = true;
  connection = new Connection(store, { board: boardID, user, token, on: {
    changed: (ids) => ids.length && render(),
    peers: render,
    verdict(mutation, nack) {
      if (nack) {
        const ids = mutation.changes.map((c) => c.entityId);
        const e = store.get(ids[0]);
        const name = e?.title ?? e?.name ?? mutation.changes[0].patch?.title ?? 'The change';
        board.reject(ids);
        toast(`${wording(nack, store, `“${name}”`)}`, `“${name}” is as it was.`);
      }
      render();
    },
    state(next, detail) {
      state = next;
      if (next === 'live') {
        notice('');
        connection.presence(act.looking ? { card: act.looking } : {}); // here I am
      }
      if (next === 'stopped') stopped(detail);
      render();
    },
  } });
  render();
}

function stopped({ status, code, joined }) {
  if (status === 401 || code === 4500) {
    $('#login').hidden = false;
    $('#login input').focus();
    notice(token ? 'That token is not valid (any more).' : '');
  } else if (status === 404 || status === 403 || (code === 4502 && !joined)) notice(`There is no board “${boardID}” that you may see. Choose one under Boards.`);
  else if (code === 4502) notice('You are no longer a member of this board.');
  else notice('The server speaks another version. Reload the page.');
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
  const answer = await fetch(api('/v1/boards', connection), { headers: credentials(connection) });
  const list = answer.ok ? (await answer.json()).boards : [];
  arrange($('#boards ul'), list.map((b) => make('li', {}, make('a', { href: link(b.board), textContent: b.title || b.board }))));
});
$('#boards form').addEventListener('submit', async (e) => {
  e.preventDefault();
  const answer = await fetch(api('/v1/boards', connection), {
    method: 'POST', headers: { 'Content-Type': 'application/json', ...credentials(connection) },
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
