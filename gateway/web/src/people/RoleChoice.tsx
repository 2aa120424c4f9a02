// What somebody may do, to be chosen.

import { useState } from "preact/hooks";

import type { Role } from "@snapback/client";

import { Dialog } from "../parts/Dialog.js";
import { say } from "../words/words.js";
import { roles } from "./roster.js";

export function RoleChoice({ name, role, isMe, disabled, change }: {
  readonly name: string;
  readonly role: Role;
  /** It is your own role: less than admin can not be taken back by yourself. */
  readonly isMe: boolean;
  readonly disabled: boolean;
  change(to: Role): void;
}) {
  const [asked, setAsked] = useState<Role>();
  return (
    <>
      <select
        aria-label={say("members.roleOf", { name })} value={role} disabled={disabled}
        onChange={(e) => {
          const to = e.currentTarget.value as Role;
          if (!isMe || role !== "admin") return change(to);
          e.currentTarget.value = role; // until it is certain
          setAsked(to);
        }}
      >
        {roles.map((one) => <option key={one} value={one} title={say(`role.${one}May`)}>{say(`role.${one}`)}</option>)}
      </select>
      {asked && (
        <Dialog label={say("members.doDemote")} className="small-dialog" onClose={() => setAsked(undefined)}>
          <h2>{say("members.doDemote")}</h2>
          <p>{say("members.demote")}</p>
          <div class="choices">
            <button
              type="button" class="danger"
              onClick={() => {
                change(asked);
                setAsked(undefined);
              }}
            >
              {say("members.doDemote")}
            </button>
            <button type="button" class="second" onClick={() => setAsked(undefined)}>{say("people.cancel")}</button>
          </div>
        </Dialog>
      )}
    </>
  );
}
