// Loaded before the program that hand-over.mjs starts: when the launcher is killed outright, so is it.
if (process.channel) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}
