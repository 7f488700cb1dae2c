// What fails while a page is loaded or drawn: the frame stays, and says so.
import { Component, type ReactNode } from 'react';
import { Failure } from './failure.tsx';

interface Props {
  /** Another place is another try. */
  place: string;
  children: ReactNode;
}

export class Caught extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override componentDidUpdate({ place }: Props) {
    if (place !== this.props.place && this.state.error !== null) this.setState({ error: null });
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return <Failure error={error} retry={() => location.reload()} label="Load again" />;
  }
}

/** A part of the application. @throws Error with words for people if it does not arrive */
export const arrived = <Module,>(part: Promise<Module>): Promise<Module> =>
  part.catch((cause: unknown) => {
    throw new Error('A part of this page did not arrive. Is the Studio still running?', { cause });
  });
