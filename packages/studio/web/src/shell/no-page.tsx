import { PageHeader } from './page-header.tsx';

/** What an address without a page shows. */
export const NoPage = () => (
  <PageHeader title="There is no such page">Choose one in the menu, or go back.</PageHeader>
);
