function tabs(name, me, { locks, BroadcastChannel: Channel }, end, takeOver) {
  const watched = /* @__PURE__ */ new Set([me]);
  let channel;
  const self = {
    async hold() {
      if (!locks) return;
      await new Promise((granted, failed) => {
        const held = () => {
          granted();
          return new Promise((free) => end.addEventListener("abort", free));
        };
        locks.request(name + me, { signal: end }, held).catch(failed);
      });
      if (!Channel) return;
      channel = new Channel(name);
      channel.onmessage = ({ data }) => void self.watch(data);
      end.addEventListener("abort", () => {
        channel.close();
        channel = void 0;
      });
    },
    announce() {
      channel?.postMessage(me);
    },
    async watch(tab) {
      if (watched.has(tab)) return;
      watched.add(tab);
      await (locks ? locks.request(name + tab, { signal: end }, () => takeOver(tab)).catch(() => {
      }) : takeOver(tab));
    }
  };
  return self;
}
export {
  tabs
};
