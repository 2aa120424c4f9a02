// A person as a small round picture; by letters if there is none, or it does not come.

import { useState } from "preact/hooks";

import { hue, initials } from "../people/names.js";

export function Avatar({ user, name = user, picture }: {
  readonly user: string;
  readonly name?: string | undefined;
  readonly picture?: string | undefined;
}) {
  const [broken, setBroken] = useState<string>();
  return (
    <span class="avatar" role="img" aria-label={name} title={name} style={{ "--hue": hue(user) }}>
      {picture && picture !== broken
        ? <img src={picture} alt="" referrerpolicy="no-referrer" onError={() => setBroken(picture)} />
        : <span aria-hidden="true">{initials(name)}</span>}
    </span>
  );
}
