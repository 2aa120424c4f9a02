// One card.

export const card = {
  "card.like": "Like",
  "card.likeCount": "{name}, {count}",
} as const;
