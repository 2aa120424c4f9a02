// The boards one may see, and the way to make another.

export function Boards() {
  return <main class="boards" />;
}
