const base32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
function ulid(ms) {
  let id = "";
  for (; id.length < 10; ms /= 32) id = base32[Math.floor(ms % 32)] + id;
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) id += base32[byte % 32];
  return id;
}
export {
  ulid
};
