// The pages of runs, which know of each change while one of them is open.
import { Route, Switch } from 'wouter';
import { NoPage } from '../shell/no-page.tsx';
import { Compare } from './compare/compare.tsx';
import { Runs } from './list/runs.tsx';
import { Run } from './run/run.tsx';
import { useRunChanges } from './use-runs.ts';

export default function RunPages() {
  useRunChanges();
  return (
    <Switch>
      <Route path="/runs" component={Runs} />
      <Route path="/runs/compare" component={Compare} />
      <Route path="/runs/view/*">
        {({ '*': path }) => <Run key={path} id={decoded(path ?? '')} />}
      </Route>
      <Route component={NoPage} />
    </Switch>
  );
}

/** The parts of an address are encoded one by one. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
