// Which page an address shows.
import { Center, Loader, Modal } from '@mantine/core';
import { lazy, Suspense } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { loadMarkdown } from './content/content.tsx';
import { Projects } from './projects/projects.tsx';
import { signedInAgain, useSession, useSignedOut } from './session.ts';
import { arrived, Caught } from './shell/caught.tsx';
import { Failure } from './shell/failure.tsx';
import { NoPage } from './shell/no-page.tsx';
import { Shell } from './shell/shell.tsx';
import { Join } from './sign-in/join.tsx';
import { SignIn } from './sign-in/sign-in.tsx';

// Pages beside the first one come when they are opened.
const Battle = lazy(() => withMarkdown(import('./arena/battle.tsx')));
const Annotate = lazy(() => withMarkdown(import('./annotate/annotate.tsx')));
const People = lazy(() => arrived(import('./people/people.tsx')));
const Project = lazy(() => arrived(import('./projects/project.tsx')));
const TaskPage = lazy(() => withMarkdown(import('./projects/task-page.tsx')));
const RunPages = lazy(() => arrived(import('./runs/pages.tsx')));

async function withMarkdown<Module>(page: Promise<Module>): Promise<Module> {
  await arrived(loadMarkdown());
  return arrived(page);
}

export function App() {
  return (
    <Switch>
      <Route path="/join/:code">{({ code }) => <Join code={code} />}</Route>
      <Route>
        <SignedIn />
      </Route>
    </Switch>
  );
}

function SignedIn() {
  const session = useSession();
  const isSignedOut = useSignedOut();
  const [location] = useLocation();
  if (session.isPending) return <Waiting />;
  if (session.isError) {
    return (
      <Center mih="100vh" p="md">
        <Failure error={session.error} retry={() => void session.refetch()} />
      </Center>
    );
  }
  const person = session.data;
  if (person === null) return <SignIn />;
  const isAdmin = person.role === 'admin';
  return (
    <Shell person={person}>
      {isSignedOut && (
        <Modal.Root opened onClose={() => {}} fullScreen closeOnEscape={false}>
          <Modal.Content aria-label="Sign in again">
            <SignIn title="Sign in again" signedIn={signedInAgain} />
          </Modal.Content>
        </Modal.Root>
      )}
      <Caught place={location}>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/">
              <Redirect to="/projects" replace />
            </Route>
            <Route path="/projects">
              <Projects isAdmin={isAdmin} />
            </Route>
            <Route path="/projects/:project/battle">
              {({ project }) => <Battle key={project} project={project} />}
            </Route>
            <Route path="/projects/:project/annotate">
              {({ project }) => <Annotate key={project} project={project} />}
            </Route>
            {isAdmin && (
              <Route path="/projects/:project/tasks/:task">
                {({ project, task }) => <TaskPage key={task} project={project} task={task} />}
              </Route>
            )}
            {isAdmin && (
              <Route path="/projects/:project/:tab?">
                {({ project, tab }) => (
                  <Project key={project} project={project} tab={tab ?? 'tasks'} />
                )}
              </Route>
            )}
            {isAdmin && <Route path="/people" component={People} />}
            {isAdmin && <Route path="/runs/*?" component={RunPages} />}
            <Route component={NoPage} />
          </Switch>
        </Suspense>
      </Caught>
    </Shell>
  );
}

const Waiting = () => (
  <Center mih="60vh">
    <Loader aria-label="Loading" />
  </Center>
);
