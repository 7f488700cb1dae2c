// Run by the doctor in a separate process: loading a broken library can crash it.
import { memory, threads, torchBuild } from '@keel/torch';

console.log(JSON.stringify({ ...torchBuild(), threads: threads(), tensors: memory().tensors }));
