// What kind of file it is, as a picture; its suffix where the picture says little.

import type { File } from "@snapback/client";

import { Icon } from "../parts/Icon.js";
import { sortOf, suffixOf, type Sort } from "./kinds.js";

const paths: { readonly [sort in Exclude<Sort, "other">]: string } = {
  link: "M6.700 9.300a2.800 2.800 0 0 0 4 0l2-2a2.800 2.800 0 0 0-4-4l-.8.8M9.300 6.700a2.800 2.800 0 0 0-4 0l-2 2a2.800 2.800 0 0 0 4 4l.8-.8",
  picture: "M2.500 3h11v10h-11zM2.500 11l3.300-3.500 2.700 2.700 1.700-1.700 3.300 3.300M10.200 6.200h.01",
  sheet: "M3 2.500h10v11H3zM3 6h10M3 9.700h10M7 2.500v11",
  text: "M4 2h5l3.500 3.500V14H4zM6 8h4.500M6 10.500h4.500",
  archive: "M4 2h8v12H4zM8 2v1.500M8 5v1.500M8 8v1.500M7 11h2v1.500H7z",
  sound: "M6 12V4l6.500-1.500v8M6 12a1.700 1.700 0 1 1-3.400 0A1.700 1.700 0 0 1 6 12zM12.500 10.500a1.700 1.700 0 1 1-3.400 0 1.700 1.700 0 0 1 3.400 0z",
  film: "M2.500 3.500h11v9h-11zM6.800 6.200v3.600l3-1.800z",
};

export function SortIcon({ file }: { readonly file: Pick<File, "url" | "contentType" | "name"> }) {
  const sort = sortOf(file);
  const suffix = suffixOf(file.name);
  return (
    <span class="file-sort" data-sort={sort} aria-hidden="true">
      {sort === "other"
        ? <Icon name="file" />
        : <svg class="icon" viewBox="0 0 16 16" focusable="false"><path d={paths[sort]} /></svg>}
      {sort !== "link" && suffix.length > 0 && suffix.length < 5 && <span>{suffix}</span>}
    </span>
  );
}
