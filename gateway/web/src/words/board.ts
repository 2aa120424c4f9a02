// The board, its columns and cards.

export const board = {
  "board.addColumn": "Add a column",
  "board.addCard": "Add a card",
  "board.columnTitle": "Title of the column",
  "board.cardTitle": "Title of the card",
  "board.columnMenu": "Menu of the column {column}",
  "board.cardMenu": "Menu of the card {card}",
  "board.rename": "Rename",
  "board.move": "Move…",
  "board.archive": "Archive",
  "board.archived": "“{what}” is archived",
  "board.wip": "{count} of {limit}",
  "board.count": "{count}",
} as const;
