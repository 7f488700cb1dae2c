import { PageHeader } from '../shell/page-header.tsx';

export default function People() {
  return <PageHeader title="People">Who can sign in, and what they may do.</PageHeader>;
}
