// What kind of file it is, as far as one picture tells.

import type { File } from "@snapback/client";

export type Sort = "link" | "picture" | "sheet" | "text" | "archive" | "sound" | "film" | "other";

const bySuffix: { readonly [suffix: string]: Sort } = {
  csv: "sheet", xls: "sheet", xlsx: "sheet", ods: "sheet",
  txt: "text", md: "text", pdf: "text", doc: "text", docx: "text", odt: "text", rtf: "text", log: "text", html: "text",
  zip: "archive", gz: "archive", tgz: "archive", xz: "archive", "7z": "archive", rar: "archive", tar: "archive",
};

export function sortOf({ url, contentType = "", name }: Pick<File, "url" | "contentType" | "name">): Sort {
  if (url !== undefined) return "link";
  const [type] = contentType.split("/");
  if (type === "image") return "picture";
  if (type === "audio") return "sound";
  if (type === "video") return "film";
  const suffix = suffixOf(name);
  return (Object.hasOwn(bySuffix, suffix) ? bySuffix[suffix] : undefined) ?? (type === "text" ? "text" : "other");
}

/** PDF of plan.pdf, in small letters; "" if it has none. */
export function suffixOf(name: string): string {
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(dot + 1).toLowerCase() : "";
}

/** Pictures that every browser shows, and how large they may be to be shown unasked, in bytes. */
const shown = /^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)\b/;
const largest = 8_000_000;

export const hasPreview = ({ contentType = "", size = 0, url }: File): boolean =>
  url === undefined && shown.test(contentType) && size > 0 && size <= largest;

/** Where a link leads, in a word: example.org. */
export function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}

/** The address that somebody typed, undefined if it is none that a link may have. */
export function linkFrom(typed: string): string | undefined {
  const text = typed.trim();
  if (!text || /\s/.test(text)) return undefined;
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`);
    // A user before the @ is no page's address: mailto:a@example.org, or a trap.
    return /^https?:$/.test(url.protocol) && !url.username && /[.:]|^localhost$/.test(url.hostname) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** What a link is called if nobody says: the last word of its path, or its host; no name of a file has a slash. */
export function nameOfLink(url: string): string {
  const { host, pathname } = new URL(url);
  const last = pathname.split("/").filter(Boolean).at(-1);
  if (!last) return host;
  try {
    return decodeURIComponent(last).replace(/[/\\]/g, "_") || host;
  } catch {
    return last;
  }
}
