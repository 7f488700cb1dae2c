// One project, for admins: what is in it, how people agree, and what it asks.
import { Button, Skeleton, Tabs } from '@mantine/core';
import { IconChecks, IconDownload, IconSparkles, IconUpload } from '@tabler/icons-react';
import { lazy, Suspense } from 'react';
import { Link, useLocation } from 'wouter';
import { arrived } from '../shell/caught.tsx';
import { Failure } from '../shell/failure.tsx';
import { PageHeader } from '../shell/page-header.tsx';
import { AnswersDialog } from './answers-dialog.tsx';
import { ExportDialog } from './export-dialog.tsx';
import { ImportDialog } from './import-dialog.tsx';
import { TaskTable } from './task-table.tsx';
import { useProject } from './use-projects.ts';

const Ratings = lazy(() => arrived(import('../arena/ratings.tsx')));
const Agreement = lazy(() => arrived(import('./agreement.tsx')));
const Train = lazy(() => arrived(import('./train.tsx')));
const Settings = lazy(() => arrived(import('./settings.tsx')));

const tabs = [
  ['tasks', 'Tasks'],
  ['disagreements', 'Disagreements'],
  ['agreement', 'Agreement'],
  ['arena', 'Arena'],
  ['train', 'Train'],
  ['settings', 'Settings'],
] as const;

export default function Project({ project, tab }: { project: string; tab: string }) {
  const about = useProject(project);
  const [, navigate] = useLocation();
  if (about.isError) return <Failure error={about.error} retry={() => void about.refetch()} />;
  if (about.isPending) return <Skeleton h={300} />;
  const { name } = about.data;
  return (
    <>
      <PageHeader
        title={name}
        actions={
          <>
            <ImportDialog project={project}>
              {(open) => (
                <Button variant="default" leftSection={<IconUpload size={18} />} onClick={open}>
                  Import
                </Button>
              )}
            </ImportDialog>
            <AnswersDialog project={project}>
              {(open) => (
                <Button variant="default" leftSection={<IconSparkles size={18} />} onClick={open}>
                  Answers
                </Button>
              )}
            </AnswersDialog>
            <ExportDialog project={project}>
              {(open) => (
                <Button variant="default" leftSection={<IconDownload size={18} />} onClick={open}>
                  Export
                </Button>
              )}
            </ExportDialog>
            <Button
              component={Link}
              href={`/projects/${project}/annotate`}
              leftSection={<IconChecks size={18} />}
            >
              Annotate
            </Button>
          </>
        }
      />
      <Tabs
        value={tab}
        onChange={(next) => navigate(`/projects/${project}/${next}`)}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          {tabs.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Suspense fallback={<Skeleton h={200} />}>
          <Tabs.Panel value="tasks">
            <TaskTable key="tasks" project={project} />
          </Tabs.Panel>
          <Tabs.Panel value="disagreements">
            <TaskTable key="disagreements" project={project} disputed />
          </Tabs.Panel>
          <Tabs.Panel value="agreement">
            <Agreement project={project} />
          </Tabs.Panel>
          <Tabs.Panel value="arena">
            <Ratings project={project} />
          </Tabs.Panel>
          <Tabs.Panel value="train">
            <Train project={project} />
          </Tabs.Panel>
          <Tabs.Panel value="settings">
            <Settings project={project} />
          </Tabs.Panel>
        </Suspense>
      </Tabs>
    </>
  );
}
