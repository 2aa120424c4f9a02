// What the page asks for over HTTP.

export class Server {
  // Who asks: {token}, or {user} on a server without keys.
  constructor(board, { user, token }) {
    Object.assign(this, { board, user, token });
  }

  url(path) {
    const url = new URL(path, location.href);
    if (!this.token) url.searchParams.set('user', this.user);
    return url;
  }

  fetch(url, { headers, ...more } = {}) {
    return fetch(url, { ...more, headers: { ...headers, ...(this.token && { Authorization: `Bearer ${this.token}` }) } });
  }

  // content is where the content of a file is.
  content(file) {
    return this.url(`/v1/boards/${encodeURIComponent(this.board)}/files/${encodeURIComponent(file)}/content`);
  }

  // status the board is answered with, undefined without a connection.
  async status() {
    try {
      const answer = await this.fetch(this.url(`/v1/boards/${encodeURIComponent(this.board)}?part=open`));
      answer.body?.cancel();
      return answer.status;
    } catch {
      return undefined;
    }
  }
}
