// Loaded before the program that hand-over.mjs starts: when the launcher is killed outright, so is
// it.
if (process.channel && process.env.KEEL_LAUNCHER === String(process.ppid)) {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel.unref();
}
// Programs that this one starts have no launcher.
delete process.env.KEEL_LAUNCHER;
