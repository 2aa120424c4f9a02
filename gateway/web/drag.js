// Dragging cards with mouse, pen or finger (a finger holds first).

const FAR = 6, HOLD = 280; // px, ms

// draggable lets the cards under root be dragged. drop(card id, column id, id
// of the card above or null) is called for a finished drag, busy(card id or '')
// at its begin and end.
export function draggable(root, { drop, busy }) {
  let press = null; // {card, x, y, id, hold}
  let drag = null; // {card, ghost, dx, dy, marker}

  root.addEventListener('pointerdown', (e) => {
    const card = e.target.closest('.card');
    if (!card || drag || e.button !== 0 || !e.isPrimary || e.target.closest('input, a, label, .tool')) return;
    press = { card, x: e.clientX, y: e.clientY, id: e.pointerId };
    if (e.pointerType === 'touch') press.hold = setTimeout(() => press && begin(press.x, press.y), HOLD);
  });

  addEventListener('pointermove', (e) => {
    if (drag) return follow(e.clientX, e.clientY);
    if (!press || e.pointerId !== press.id || Math.hypot(e.clientX - press.x, e.clientY - press.y) < FAR) return;
    if (press.hold) return forget(); // a finger that moves at once scrolls
    begin(press.x, press.y);
    follow(e.clientX, e.clientY);
  });

  addEventListener('pointerup', () => {
    if (drag) finish(true);
    forget();
  });
  addEventListener('pointercancel', () => {
    if (drag) finish(false);
    forget();
  });
  addEventListener('keydown', (e) => {
    if (drag && e.key === 'Escape') finish(false);
  });
  root.addEventListener('touchmove', (e) => drag && e.preventDefault(), { passive: false });
  root.addEventListener('contextmenu', (e) => (drag || press?.hold) && e.preventDefault());
  root.addEventListener('dragstart', (e) => e.preventDefault());

  function forget() {
    clearTimeout(press?.hold);
    press = null;
  }

  function begin(x, y) {
    const { card } = press;
    const box = card.getBoundingClientRect();
    const ghost = card.cloneNode(true);
    ghost.classList.add('ghost');
    ghost.inert = true;
    ghost.style.width = `${box.width}px`;
    document.body.append(ghost);
    const marker = document.createElement('div');
    marker.className = 'marker';
    drag = { card, ghost, dx: x - box.left, dy: y - box.top, marker };
    card.classList.add('dragged');
    document.body.classList.add('dragging');
    getSelection()?.removeAllRanges();
    busy(card.dataset.id);
    follow(x, y);
  }

  function follow(x, y) {
    drag.ghost.style.transform = `translate(${x - drag.dx}px, ${y - drag.dy}px) rotate(1.5deg)`;
    const column = document.elementFromPoint(x, y)?.closest('.column');
    if (!column?.dataset.id) return drag.marker.remove();
    const list = column.querySelector('.cards');
    const below = [...list.querySelectorAll('.card')].find((el) => {
      const box = el.getBoundingClientRect();
      return el !== drag.card && y < box.top + box.height / 2;
    });
    if (drag.marker.parentNode !== list || drag.marker.nextSibling !== (below ?? null)) list.insertBefore(drag.marker, below ?? null);
    const box = root.getBoundingClientRect();
    if (x > box.right - 40) root.scrollLeft += 12;
    if (x < box.left + 40) root.scrollLeft -= 12;
  }

  function finish(done) {
    const { card, ghost, marker } = drag;
    const column = marker.closest('.column')?.dataset.id;
    let above = marker.previousElementSibling;
    if (above === card) above = above.previousElementSibling;
    ghost.remove();
    marker.remove();
    card.classList.remove('dragged');
    document.body.classList.remove('dragging');
    drag = null;
    busy('');
    addEventListener('click', swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener('click', swallow, { capture: true }));
    if (done && column) drop(card.dataset.id, column, above?.dataset.id ?? null);
  }

  function swallow(e) {
    e.stopPropagation();
    e.preventDefault();
  }
}
