// One file: its picture, name, size, who and when, and what can be done with it.

import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

import type { File } from "@snapback/client";

import { useDesk } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Confirm } from "../parts/Confirm.js";
import { Dialog } from "../parts/Dialog.js";
import { Icon } from "../parts/Icon.js";
import { Menu, type MenuItem } from "../parts/Menu.js";
import { keepFocus } from "../parts/rowfocus.js";
import { personOf } from "../people/candidates.js";
import { refused } from "../refused.js";
import { announce } from "../say.js";
import { who } from "../session.js";
import { EditText, useEditing } from "../text/EditText.js";
import { ago, exactly, size } from "../words/dates.js";
import { say } from "../words/words.js";
import { contentOf, save, useContent } from "./content.js";
import { hasPreview, hostOf } from "./kinds.js";
import { PickCard } from "./PickCard.js";
import { SortIcon } from "./SortIcon.js";

type Doing = "delete" | "move" | "preview" | undefined;

export function FileRow({ file, editable, list }: {
  readonly file: File;
  readonly editable: boolean;
  /** Where the focus goes when this row is gone. */
  readonly list: RefObject<HTMLElement | null>;
}) {
  const desk = useDesk();
  const { store } = desk;
  const { id, name, cardId } = file;
  const [doing, setDoing] = useState<Doing>();
  const [renaming, setRenaming] = useEditing(id, "name");
  const row = useRef<HTMLLIElement>(null);
  const slow = desk.slow.of(id).value;
  const stop = () => setDoing(undefined);
  useLayoutEffect(() => { // before anything is typed
    if (renaming) selectStem(row, name);
  }, [renaming]);
  const go = (to: string | null) => {
    const again = keepFocus(list, row);
    void store.mutate(id, { cardId: to }).then((verdict) => (verdict.ok ? announce(say("files.moved", { name })) : again()));
  };
  const items: MenuItem[] = [
    { label: say("files.rename"), keys: "F2", run: () => setRenaming(true) },
    { label: say("files.move"), run: () => setDoing("move") },
    ...(cardId ? [{ label: say("files.toBoard"), run: () => go(null) }] : []),
    { label: say("files.delete"), run: () => setDoing("delete") },
  ];
  return (
    <li
      ref={row} class="file" data-id={id} aria-busy={slow || undefined}
      data-pending={slow || undefined} data-refused={refused.value.has(id) || undefined}
      onKeyDown={(e) => {
        if (e.key !== "F2" || !editable || doing || renaming) return;
        e.preventDefault();
        setRenaming(true);
      }}
    >
      <Picture file={file} open={() => setDoing("preview")} />
      <div class="file-what">
        {renaming
          ? <EditText id={id} field="name" label={say("files.name")} onDone={() => (setRenaming(false), back(row))} />
          : <Name file={file} />}
        <About file={file} />
      </div>
      {editable && !renaming && (
        <button
          type="button" class="tool file-rename" aria-label={say("files.renameNamed", { name })} title={say("files.renameKeys")}
          onClick={() => setRenaming(true)}
        >
          <Icon name="pencil" />
        </button>
      )}
      {editable && <Menu label={say("files.menu", { name })} items={items}><Icon name="more" /></Menu>}
      {doing === "preview" && <Preview file={file} onClose={stop} />}
      {doing === "move" && <PickCard title={say("files.pickTitle", { name })} not={cardId} onPick={go} onClose={stop} />}
      {doing === "delete" && (
        <Confirm
          title={say("files.deleteTitle", { name })} yes={say("files.deleteNow")} onClose={stop}
          onYes={() => {
            const again = keepFocus(list, row);
            void store.remove(id).then((verdict) => (verdict.ok ? announce(say("files.deleted", { name })) : again()));
          }}
        >
          <p>{say("files.deleteText")}</p>
        </Confirm>
      )}
    </li>
  );
}

/** What is typed first replaces the name, not what says of which kind the file is. */
function selectStem(row: RefObject<HTMLElement | null>, name: string): void {
  const field = row.current?.querySelector("textarea");
  const dot = name.lastIndexOf(".");
  if (field && field.value === name && dot > 0 && document.activeElement === field) field.setSelectionRange(0, dot);
}

/** The focus goes back to the name when it is no longer edited, unless it was taken elsewhere. */
function back(row: RefObject<HTMLElement | null>): void {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) row.current?.querySelector<HTMLElement>(".file-name a")?.focus();
  });
}

function Name({ file: { id, name, url }, text = name }: {
  readonly file: File;
  /** What the link says. */
  readonly text?: string;
}) {
  const desk = useDesk();
  if (url !== undefined) return <p class="file-name"><a href={url} target="_blank" rel="noopener noreferrer" dir="auto">{text}</a></p>;
  const byToken = !!who.value.token;
  return (
    <p class="file-name">
      <a
        href={contentOf(desk.board, id).href} download={name} dir="auto" title={say("files.downloadNamed", { name })}
        onClick={(e) => {
          if (!byToken) return;
          e.preventDefault();
          void save(desk, id, name);
        }}
      >
        {text}
      </a>
    </p>
  );
}

function About({ file: { size: bytes, url, createdBy, createdAt } }: { readonly file: File }) {
  const { store } = useDesk();
  const by = createdBy ? personOf(store, createdBy) : undefined;
  return (
    <p class="file-about">
      {url !== undefined ? <bdi>{hostOf(url)}</bdi> : bytes !== undefined && <span>{size(bytes)}</span>}
      {by && <Avatar user={by.user} name={by.name} picture={by.picture} />}
      {by && <bdi>{by.name}</bdi>}
      {createdAt && <time dateTime={createdAt} title={exactly(createdAt)}>{ago(createdAt)}</time>}
    </p>
  );
}

function Picture({ file, open }: { readonly file: File; open(): void }) {
  if (!hasPreview(file)) return <SortIcon file={file} />;
  return (
    <button type="button" class="file-thumb" aria-label={say("files.open", { name: file.name })} onClick={open}>
      <Image file={file} alt="" />
    </button>
  );
}

function Image({ file, alt }: { readonly file: File; readonly alt: string }) {
  const address = useContent(file.id);
  const [broken, setBroken] = useState(false);
  if (broken) return <SortIcon file={file} />;
  return address ? <img src={address} alt={alt} loading="lazy" decoding="async" onError={() => setBroken(true)} /> : null;
}

function Preview({ file, onClose }: { readonly file: File; onClose(): void }) {
  return (
    <Dialog label={say("files.preview", { name: file.name })} className="preview" onClose={onClose}>
      <h2 dir="auto">{file.name}</h2>
      <Image file={file} alt={file.name} />
      <Name file={file} text={say("files.download")} />
    </Dialog>
  );
}
