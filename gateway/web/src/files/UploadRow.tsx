// A file on its way: how far it is, or why it did not come through.

import { useBoard } from "@snapback/client/react";

import { useDesk } from "../desk.js";
import { Icon } from "../parts/Icon.js";
import { size } from "../words/dates.js";
import { say } from "../words/words.js";
import { SortIcon } from "./SortIcon.js";
import { failureInWords, uploadsOf } from "./sending.js";
import { canRetry, type Upload } from "./uploads.js";

export function UploadRow({ upload }: { readonly upload: Upload }) {
  const uploads = uploadsOf(useDesk());
  const { id, name, content } = upload;
  const state = upload.state.value;
  const failed = state === "failed";
  return (
    <li class="file upload" data-upload={state} aria-busy={!failed}>
      <SortIcon file={{ name, contentType: content.type }} />
      <div class="file-what">
        <p class="file-name"><span dir="auto">{name}</span></p>
        {!failed && <Progress upload={upload} />}
        <p class="file-about">{failed ? <Why upload={upload} /> : <HowFar upload={upload} />}</p>
      </div>
      {upload.failure.value && canRetry(upload.failure.value) && (
        <button type="button" class="second" aria-label={say("files.retryNamed", { name })} onClick={() => uploads.retry(id)}>
          {say("files.retry")}
        </button>
      )}
      {state !== "stored" && (
        <button
          type="button" class="tool" title={say("files.cancel")}
          aria-label={say(failed ? "files.dismissNamed" : "files.cancelNamed", { name })} onClick={() => uploads.cancel(id)}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}

const Progress = ({ upload: { name, content, sent } }: { readonly upload: Upload }) => (
  <progress aria-label={say("files.progress", { name })} max={content.size || 1} value={Math.min(sent.value, content.size)} />
);

function HowFar({ upload: { content, sent, state } }: { readonly upload: Upload }) {
  const { status } = useBoard();
  if (state.value === "waiting") return <>{say(status === "offline" || status === "connecting" ? "files.waitingOffline" : "files.waiting")}</>;
  if (state.value === "stored" || sent.value >= content.size) return <>{say("files.storing")}</>;
  return <>{say("files.sending", { part: size(sent.value), size: size(content.size) })}</>;
}

function Why({ upload: { name, failure } }: { readonly upload: Upload }) {
  return <span class="file-why">{failure.value && failureInWords(failure.value, name)}</span>;
}
