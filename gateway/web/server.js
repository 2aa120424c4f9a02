// What the page asks for over HTTP.

export class Server {
  // Who asks: {token}, or {user} on a server without keys.
  constructor({ user, token }) {
    Object.assign(this, { user, token });
  }

  url(path) {
    const url = new URL(path, location.href);
    if (!this.token) url.searchParams.set('user', this.user);
    return url;
  }

  fetch(url, { headers, ...more } = {}) {
    return fetch(url, { ...more, headers: { ...headers, ...(this.token && { Authorization: `Bearer ${this.token}` }) } });
  }

  // status of the board's page, undefined without a connection.
  async status(board) {
    try {
      const answer = await this.fetch(this.url(`/v1/boards/${encodeURIComponent(board)}?part=open`));
      answer.body?.cancel();
      return answer.status;
    } catch {
      return undefined;
    }
  }
}

export const contentPath = (board, id) => `/v1/boards/${encodeURIComponent(board)}/files/${encodeURIComponent(id)}/content`;
