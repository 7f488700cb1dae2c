// Run by `keel doctor --bench` in a separate process: the doctor itself does not load LibTorch.
// Progress goes to stderr.
import { benchMachine } from '@keel/align/internal';

const { stderr } = process;
const found = await benchMachine((done, all, what) => {
  if (stderr.isTTY)
    stderr.write(done < all ? `\r\x1b[2Kmeasuring ${done + 1}/${all}: ${what}` : '\r\x1b[2K');
  else if (done < all) stderr.write(`measuring ${done + 1}/${all}: ${what}\n`);
});
console.log(JSON.stringify(found));
