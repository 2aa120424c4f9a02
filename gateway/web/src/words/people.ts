// Members, boards, who is here.

export const people = {
  "people.notFound": "There is no such board, or you may not see it.",
  "people.closed": "The connection is closed.",
} as const;
