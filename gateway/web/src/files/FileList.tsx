// A list of files with what can be done to them: those of a card or of the board.

import { useRef, useState } from "preact/hooks";

import type { File } from "@snapback/client";
import { useBoard, useChildren } from "@snapback/client/react";

import { atLeast, useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { say } from "../words/words.js";
import { LinkForm } from "./LinkForm.js";
import { FileRow } from "./FileRow.js";
import { start } from "./incoming.js";
import { uploadsOf } from "./sending.js";
import { UploadRow } from "./UploadRow.js";

export function FileList({ card, hint, frozen = false }: {
  /** Whose files: a card's id, "" for the board. */
  readonly card: string;
  /** Said while there are none. */
  readonly hint: string;
  /** Nothing can be changed here, whoever looks. */
  readonly frozen?: boolean;
}) {
  const desk = useDesk();
  const { me } = useBoard();
  const editable = !frozen && atLeast(me?.role, "editor");
  const files = useChildren(card, "file");
  const here = new Set(files.map((f) => f.id));
  const uploads = uploadsOf(desk).list.value.filter((u) => (u.card ?? "") === card && !here.has(u.id));
  const list = useRef<HTMLUListElement>(null);
  return (
    <div class="files" data-files={card}>
      {editable && <Adding card={card} />}
      {!files.length && !uploads.length && <p class="files-none">{say("files.none")} {editable && hint}</p>}
      <ul ref={list} class="file-list" aria-label={say("files.list")}>
        {files.map((file: File) => <FileRow key={file.id} file={file} editable={editable} list={list} />)}
        {uploads.map((upload) => <UploadRow key={upload.id} upload={upload} />)}
      </ul>
    </div>
  );
}

function Adding({ card }: { readonly card: string }) {
  const desk = useDesk();
  const chooser = useRef<HTMLInputElement>(null);
  const linker = useRef<HTMLButtonElement>(null);
  const [linking, setLinking] = useState(false);
  return (
    <>
      <p class="files-add">
        <button type="button" class="second with-icon" data-files-upload onClick={() => chooser.current?.click()}>
          <Icon name="clip" />{say("files.upload")}
        </button>
        <button ref={linker} type="button" class="second with-icon" aria-expanded={linking} onClick={() => setLinking(!linking)}>
          <Icon name="plus" />{say("files.addLink")}
        </button>
        <input
          ref={chooser} type="file" multiple hidden tabIndex={-1} aria-label={say("files.upload")}
          onChange={(e) => {
            start(desk, [...(e.currentTarget.files ?? [])], card || undefined);
            e.currentTarget.value = ""; // the same file can be chosen again
          }}
        />
      </p>
      {linking && (
        <LinkForm
          card={card}
          onDone={() => {
            setLinking(false);
            linker.current?.focus();
          }}
        />
      )}
    </>
  );
}
