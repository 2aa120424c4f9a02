// The files of a card or of the board: names that can be changed in place.

import { make, text, attribute, arrange, editable } from './dom.js';
import { size } from './words.js';

export function fileList(parent, act) {
  const el = make('ul', { className: 'files' });
  const rows = new Map();
  return {
    el,
    update(files, uploading) {
      for (const id of rows.keys()) if (!files.some((f) => f.id === id)) rows.delete(id);
      const list = files.map((f) => {
        if (!rows.has(f.id)) rows.set(f.id, makeRow(f.id, act));
        updateRow(rows.get(f.id), f, act);
        return rows.get(f.id);
      });
      arrange(el, [...list, ...uploading.map((name) => make('li', { className: 'uploading', textContent: `${name} …` }))]);
      el.hidden = !el.children.length;
    },
  };
}

function makeRow(id, act) {
  const link = make('a', { className: 'name', draggable: false, onclick: (e) => open(e, act.store.get(id), act) });
  const rename = make('button', { className: 'tool', textContent: 'rename', onclick: () => {
    const file = act.store.get(id);
    if (file) editable(link, file.name, 'Name of the file', (name) => act.change(id, { name }));
  } });
  const el = make('li', {}, link, make('span', { className: 'size' }), rename);
  el.dataset.id = id;
  el.addEventListener('keydown', (e) => {
    if (e.key !== 'F2') return;
    e.stopPropagation();
    rename.click();
  });
  return el;
}

function updateRow(el, file, { store, server }) {
  const [link, bytes, rename] = [el.querySelector('.name'), el.querySelector('.size'), el.querySelector('.tool')];
  text(link, file.name);
  const web = /^https?:\/\//i.test(file.url ?? '');
  link.href = web ? file.url : server.content(file.id);
  attribute(link, 'target', web ? '_blank' : null);
  attribute(link, 'rel', web ? 'noopener noreferrer' : null);
  attribute(link, 'download', web ? null : file.name);
  text(bytes, file.size === undefined ? '' : size(file.size));
  attribute(rename, 'aria-label', `Rename ${file.name}`);
  attribute(el, 'data-pending', store.pending(file.id) || null);
}

// open fetches content with the token, which a link cannot carry.
async function open(e, file, { server, toast }) {
  if (!server.token || file.url) return;
  e.preventDefault();
  const answer = await server.fetch(server.content(file.id));
  if (!answer.ok) return toast(`${file.name} could not be fetched.`);
  const href = URL.createObjectURL(await answer.blob());
  make('a', { href, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}
