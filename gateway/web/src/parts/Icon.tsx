// Pictures of one colour, 16 by 16. They say nothing to screen readers: what they stand for has a name of its own.

const paths = {
  plus: "M8 3v10M3 8h10",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  close: "M4 4l8 8M12 4l-8 8",
  heart: "M8 13.2S2.5 10 2.5 6.2A2.8 2.8 0 0 1 8 5.2a2.8 2.8 0 0 1 5.5 1C13.5 10 8 13.2 8 13.2z",
  check: "M3 8.5l3.2 3L13 4.5",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.8V8l2.2 1.6",
  comment: "M2.5 3.5h11v7.5h-6L4 13.5V11H2.5z",
  file: "M4 2h5l3.5 3.5V14H4zM9 2v3.5h3.5",
  clip: "M12.5 7.5l-5 5a3 3 0 0 1-4.2-4.2l5.4-5.4a2 2 0 0 1 2.8 2.8l-5.3 5.3a.9.9 0 0 1-1.3-1.3l4.6-4.6",
  people: "M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M11 3.2a2.4 2.4 0 0 1 0 4.6M12 9.8c1.5.5 2.5 1.8 2.5 3.7",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.8 10.8L14 14",
  archive: "M2 3h12v3H2zM3 6v7h10V6M6.5 9h3",
  undo: "M6 3.5L3 6.5l3 3M3 6.5h6.5a3.5 3.5 0 0 1 0 7H7",
  redo: "M10 3.5l3 3-3 3M13 6.5H6.5a3.5 3.5 0 0 0 0 7H9",
  history: "M2.5 8a5.5 5.5 0 1 0 1.7-4M2.5 2.5v2.7h2.7M8 5v3.2l2 1.3",
  lab: "M6 2h4M7 2v4.5L3 13a.8.8 0 0 0 .7 1.2h8.6A.8.8 0 0 0 13 13L9 6.5V2M5 10h6",
  inspect: "M2 4h12M2 8h12M2 12h7",
  label: "M2.5 2.5h5.2l6 6-5.2 5.2-6-6zM5.3 5.3h.01",
  move: "M8 2v12M2 8h12M6 4l2-2 2 2M6 12l2 2 2-2M4 6L2 8l2 2M12 6l2 2-2 2",
  pencil: "M3 13l.7-3L11 2.7l2.3 2.3L6 12.300z",
  trash: "M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.6 9h5.800l.6-9",
  boards: "M2.500 2.500h4.500v11H2.500zM9 2.500h4.500v6.500H9z",
  filter: "M2 3.500h12L9.500 8.500v4.500l-3-1.500v-3z",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.500v3.500M8 5h.01",
  text: "M2.500 4h11M2.500 8h11M2.500 12h6.500",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  leave: "M9.500 3H3.500v10h6M7 8h7M11.500 5.300L14.200 8l-2.700 2.700",
  play: "M5 3l8 5-8 5z",
  pause: "M5.500 3v10M10.500 3v10",
  previous: "M12 3.500L5.500 8l6.500 4.500zM3.500 3.500v9",
  next: "M4 3.500L10.500 8 4 12.500zM12.500 3.500v9",
  replay: "M2.500 8a5.500 5.500 0 1 0 1.700-4M2.500 2.500v2.700h2.700M6.700 5.700v4.600L10.300 8z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
