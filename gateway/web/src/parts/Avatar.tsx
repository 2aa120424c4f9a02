// A person as a small round picture.

import { hue, initials } from "../people/names.js";

export function Avatar({ user, name = user, picture }: {
  readonly user: string;
  readonly name?: string | undefined;
  readonly picture?: string | undefined;
}) {
  return (
    <span class="avatar" role="img" aria-label={name} title={name} style={{ "--hue": hue(user) }}>
      {picture ? <img src={picture} alt="" referrerpolicy="no-referrer" /> : <span aria-hidden="true">{initials(name)}</span>}
    </span>
  );
}
