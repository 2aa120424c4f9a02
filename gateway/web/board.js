// The board as elements: columns with their cards, brought up to date after
// every change. A card that moves is seen moving; one that the server refused
// is seen going back.

import { make, text, attribute, arrange, editable } from './dom.js';
import { makeCard, updateCard } from './card.js';
import { draggable } from './drag.js';

const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Board {
  #columns = new Map();
  #cards = new Map();
  #rejected = new Set();

  constructor(root, act) {
    Object.assign(this, { root, act });
    this.add = make('form', { className: 'column new', onsubmit: (e) => this.#addColumn(e) },
      make('input', { name: 'title', placeholder: 'New column', ariaLabel: 'Title of a new column', maxLength: 200, autocomplete: 'off' }));
    draggable(root, { drop: (id, column, above) => act.move(id, column, above), busy: (id) => act.look(id) });
  }

  // reject marks entities whose change the server refused.
  reject(ids) {
    for (const id of ids) this.#rejected.add(id);
  }

  cardsOf(columnId) {
    return this.act.store.children(columnId, 'card').filter((c) => !c.archived);
  }

  columns() {
    return this.act.store.children('', 'column').filter((c) => !c.archived);
  }

  render(peers) {
    const focused = document.activeElement;
    const from = this.#seats();
    const seen = new Set();
    const columns = this.columns().map((column) => {
      const cards = this.cardsOf(column.id);
      if (!this.#columns.has(column.id)) this.#columns.set(column.id, this.#makeColumn(column.id));
      const el = this.#columns.get(column.id);
      this.#updateColumn(el, column, cards.length);
      arrange(el.parts.cards, [...cards.map((card) => {
        seen.add(card.id);
        if (!this.#cards.has(card.id)) this.#cards.set(card.id, makeCard(card.id, this.act));
        const others = peers.filter((p) => p.data?.card === card.id).map((p) => p.name || p.user);
        updateCard(this.#cards.get(card.id), card, this.act, others);
        return this.#cards.get(card.id);
      })]);
      return el;
    });
    arrange(this.root, [...columns, this.add]);
    for (const id of this.#cards.keys()) if (!seen.has(id)) this.#cards.delete(id);
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
    this.#animate(from);
  }

  #seats() {
    const seats = new Map();
    if (still.matches || this.#cards.size > 500) return seats;
    for (const [id, el] of this.#cards) if (el.isConnected) seats.set(id, el.getBoundingClientRect());
    return seats;
  }

  #animate(from) {
    for (const [id, el] of this.#cards) {
      const was = from.get(id), rejected = this.#rejected.has(id);
      if (was) {
        const is = el.getBoundingClientRect();
        const [x, y] = [was.left - is.left, was.top - is.top];
        if (Math.abs(x) > 20) this.#fly(el, is, x, y, rejected);
        else if (Math.abs(y) > 2) el.animate([{ transform: `translateY(${y}px)` }, { transform: 'none' }], { duration: 180, easing: 'ease-out' });
      }
      if (rejected) {
        el.classList.add('rejected');
        setTimeout(() => el.classList.remove('rejected'), 2500);
      }
    }
    this.#rejected.clear();
  }

  // #fly moves a picture of the card above all columns, which would cut it off.
  #fly(el, to, x, y, rejected) {
    const picture = el.cloneNode(true);
    picture.classList.add('ghost');
    picture.classList.toggle('rejected', rejected);
    picture.inert = true;
    Object.assign(picture.style, { left: `${to.left}px`, top: `${to.top}px`, width: `${to.width}px` });
    document.body.append(picture);
    el.style.opacity = 0; // it takes clicks all the while
    const flight = picture.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }],
      { duration: rejected ? 450 : 200, easing: rejected ? 'cubic-bezier(.4,1.4,.6,1)' : 'ease-out' });
    flight.finished.finally(() => {
      picture.remove();
      el.style.opacity = '';
    });
  }

  #makeColumn(id) {
    const { act } = this;
    const parts = {
      title: make('button', { className: 'title', title: 'Rename' }),
      count: make('button', { className: 'count', title: 'Set how many cards it may hold' }),
      cards: make('div', { className: 'cards' }),
    };
    const rename = () => editable(parts.title, act.store.get(id).title, 'Title of the column', (title) => act.change(id, { title }));
    parts.title.addEventListener('click', rename);
    parts.count.addEventListener('click', () => {
      editable(parts.count, String(act.store.get(id).wipLimit ?? 0), 'Limit, 0 for none', (n) => act.change(id, { wipLimit: Math.max(0, Math.trunc(Number(n)) || 0) }));
    });
    const add = make('form', { className: 'add', onsubmit: (e) => {
      e.preventDefault();
      const input = e.target.elements.title, title = input.value.trim();
      input.value = '';
      if (title) act.create('card', { columnId: id, title });
    } }, make('input', { name: 'title', placeholder: 'Add a card', ariaLabel: 'Title of a new card', maxLength: 16384, autocomplete: 'off' }));
    const el = make('section', { className: 'column' }, make('header', {}, make('h2', {}, parts.title), parts.count), parts.cards, add);
    el.dataset.id = id;
    el.parts = parts;
    return el;
  }

  #updateColumn(el, column, n) {
    const { title, count } = el.parts;
    const limit = column.wipLimit ?? 0, soft = column.wipMode === 'soft';
    text(title, column.title ?? '');
    text(count, limit ? `${n} of ${limit}` : String(n));
    attribute(count, 'aria-label', limit ? `${n} of ${limit} cards` : `${n} cards, no limit`);
    attribute(el, 'aria-label', column.title);
    attribute(el, 'data-full', limit && n >= limit ? (soft && n === limit ? null : soft ? 'over' : 'full') : null);
    attribute(el, 'data-pending', this.act.store.pending(column.id) || null);
  }

  #addColumn(e) {
    e.preventDefault();
    const input = e.target.elements.title, title = input.value.trim();
    input.value = '';
    if (title) this.act.create('column', { title });
  }
}
