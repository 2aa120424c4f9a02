// The menu at the end of the bar: who you are, and what does not belong to one card.

import { signal } from "@preact/signals";
import { useContext } from "preact/hooks";

import { DeskContext } from "../desk.js";
import { Avatar } from "../parts/Avatar.js";
import { Dialog } from "../parts/Dialog.js";
import { Icon } from "../parts/Icon.js";
import { Menu, type MenuItem } from "../parts/Menu.js";
import { leave, signOutQuestion } from "../people/SignOut.js";
import { RenameForm } from "../people/RenameMe.js";
import { hrefOf, navigate } from "../route.js";
import { who } from "../session.js";
import { say } from "../words/words.js";
import { theme, themes } from "./theme.js";

/** What has been chosen in the menu and is a dialog. */
const open = signal<"rename" | "signOut" | undefined>(undefined);
const close = () => (open.value = undefined);

export function MainMenu({ name, role, user = name, picture, before = [], after = [], opens }: {
  /** What you are called. */
  readonly name: string;
  /** In words. */
  readonly role?: string | undefined;
  readonly user?: string;
  readonly picture?: string | undefined;
  readonly before?: readonly MenuItem[];
  readonly after?: readonly MenuItem[];
  /** The panel that was opened from here and gives the focus back. */
  readonly opens?: string | undefined;
}) {
  const { token } = who.value;
  const items: readonly MenuItem[] = [
    ...(name ? [{ label: role ? say("top.youAre", { name, role }) : name, disabled: true, run: () => {} }] : []),
    ...before,
    { label: say("top.boards"), run: () => navigate(hrefOf()) },
    ...(token || !name ? [] : [{ label: say("top.renameMe"), run: () => (open.value = "rename") }]),
    ...themes.map((one) => ({ label: say(`top.theme.${one}`), checked: theme.value === one, run: () => void (theme.value = one) })),
    ...after,
    ...(token ? [{ label: say("top.signOut"), run: () => (open.value = "signOut") }] : []),
  ];
  return (
    <>
      <Menu label={name ? say("top.menu", { name }) : say("top.menuOnly")} className="tool main-menu" items={items} opens={opens}>
        {name ? <Avatar user={user} name={name} picture={picture} /> : <Icon name="more" />}
      </Menu>
      {open.value === "rename" && (
        <Dialog label={say("top.renameMe")} className="small-dialog" onClose={close}>
          <h2>{say("top.renameMe")}</h2>
          <RenameForm onDone={close} />
        </Dialog>
      )}
      {open.value === "signOut" && <SigningOut name={name} />}
    </>
  );
}

function SigningOut({ name }: { readonly name: string }) {
  const desk = useContext(DeskContext);
  return (
    <Dialog label={say("top.signOut")} className="small-dialog" onClose={close}>
      <h2>{say("signIn.as", { name })}</h2>
      <p>{signOutQuestion(desk)}</p>
      <div class="choices">
        <button
          type="button" class="danger"
          onClick={() => {
            close();
            void leave(desk);
          }}
        >
          {say("signIn.out")}
        </button>
        <button type="button" class="second" onClick={close}>{say("people.cancel")}</button>
      </div>
    </Dialog>
  );
}
