// The bar at the top, the panels, what is said everywhere.

export const top = {
  "top.close": "Close",
  "top.undo": "Undo",
  "top.tools": "Panels",
  "top.opening": "Opening the board…",
  "status.connecting": "Connecting…",
  "status.live": "Live",
  "status.offline": "Offline, trying again",
  "status.lagging": "Catching up…",
  "status.closed": "Disconnected",
  "status.waiting": { one: "{count} change waits", other: "{count} changes wait" },
  "panel.archive": "Archive",
  "panel.files": "Files",
  "panel.history": "History",
  "panel.inspect": "Inspector",
  "panel.lab": "Rollback lab",
  "panel.labels": "Labels",
  "panel.members": "Members",
} as const;
