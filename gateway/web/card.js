// One card as an element, and how it is brought up to date.

import { make, text, attribute, arrange, editable } from './dom.js';
import { fileList } from './files.js';
import { hue, initials } from './words.js';

// makeCard gives the element of a card; act is what can be done (see app.js).
export function makeCard(id, act) {
  const change = (patch) => act.change(id, patch);
  const tool = (sign, label, onclick) => make('button', { className: 'tool', textContent: sign, title: label, ariaLabel: label, onclick });
  const el = make('article', { className: 'card', tabIndex: 0 });
  el.dataset.id = id;
  el.parts = {
    labels: make('ul', { className: 'labels' }),
    title: make('button', { className: 'title', title: 'Rename' }),
    files: fileList(id, act),
    facts: make('span', { className: 'facts' }),
    people: make('span', { className: 'people' }),
    like: make('button', { className: 'tool like', onclick: () => change({ liked: !act.store.get(id).liked }) }),
    here: make('span', { className: 'here' }),
  };
  const { labels, title, files, facts, people, like, here } = el.parts;
  title.addEventListener('click', () => {
    const saved = act.store.get(id)?.title;
    if (saved !== undefined) editable(title, saved, 'Title of the card', (next) => change({ title: next }));
  });
  const upload = make('label', { className: 'tool', title: 'Attach files' }, '+\u{FE0E} file', make('input', {
    type: 'file', multiple: true, ariaLabel: 'Attach files', onchange: (e) => { act.upload(e.target.files, id); e.target.value = ''; },
  }));
  const moves = make('span', { className: 'moves' },
    tool('←', 'Move to the column on the left', () => act.step(id, -1, 0)), tool('↑', 'Move up', () => act.step(id, 0, -1)),
    tool('↓', 'Move down', () => act.step(id, 0, 1)), tool('→', 'Move to the column on the right', () => act.step(id, 1, 0)),
    tool('×', 'Archive', () => change({ archived: true })));
  el.append(labels, title, files.el, make('footer', {}, facts, make('span', { className: 'acts' }, people, upload, like)), moves, here);
  el.addEventListener('keydown', (e) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (way && e.altKey) {
      e.preventDefault();
      act.step(id, ...way);
    } else if (e.target === el && e.key === 'Enter') title.click();
    else if (e.target === el && e.key === 'l') like.click();
  });
  el.addEventListener('focusin', () => act.look(id));
  el.addEventListener('focusout', () => act.look(''));
  return el;
}

// updateCard shows the entity; others are the names of those who are at it.
export function updateCard(el, card, { store, uploads }, others) {
  const { labels, title, files, facts, people, like, here } = el.parts;
  const pending = store.pending(card.id);
  attribute(el, 'data-pending', pending || null);
  attribute(el, 'aria-label', card.title + (pending ? ', not saved yet' : ''));
  text(title, card.title ?? '');
  const found = (card.labels ?? []).map((id) => store.get(id)).filter(Boolean);
  arrange(labels, found.map((label) => chip(labels, label)));
  files.update(store.children(card.id, 'file'), uploads.get(card.id) ?? []);
  text(facts, factsOf(card, store));
  attribute(facts, 'data-late', card.due && !card.done && Date.parse(card.due) < Date.now() - 864e5 ? '' : null);
  arrange(people, (card.assignees ?? []).map((user) => avatar(people, user)));
  text(like, `${card.liked ? '♥' : '♡'} ${card.likes || ''}`.trim());
  attribute(like, 'aria-pressed', card.liked ? 'true' : 'false');
  attribute(like, 'aria-label', card.likes ? `Like, ${card.likes} so far` : 'Like');
  text(here, others.join(', '));
  attribute(el, 'data-here', others.length ? '' : null);
}

function chip(parent, label) {
  const el = [...parent.children].find((x) => x.dataset.id === label.id) ?? make('li');
  el.dataset.id = label.id;
  attribute(el, 'data-color', (label.color ?? '').replace(/_.*/, '') || null);
  text(el, label.name || '\u00a0');
  return el;
}

export function avatar(parent, name) {
  const found = [...parent.children].find((x) => x.dataset.name === name);
  if (found) return found;
  const el = make('span', { className: 'avatar', textContent: initials(name), title: name });
  el.dataset.name = name;
  el.style.setProperty('--hue', hue(name));
  return el;
}

function factsOf(card, store) {
  const facts = [];
  if (card.number) facts.push(`#${card.number}`);
  if (card.done) facts.push('✓ done');
  else if (card.due) {
    const whole = card.due.length === 10;
    facts.push('due ' + new Date(whole ? `${card.due}T12:00` : card.due).toLocaleDateString(undefined, { month: 'short', day: 'numeric' }));
  }
  let all = 0, done = 0;
  for (const list of store.children(card.id, 'checklist')) {
    for (const item of store.children(list.id, 'item')) {
      all++;
      if (item.done) done++;
    }
  }
  if (all) facts.push(`${done}/${all} items`);
  const comments = store.children(card.id, 'comment').length;
  if (comments) facts.push(comments === 1 ? '1 comment' : `${comments} comments`);
  return facts.join(' · ');
}
