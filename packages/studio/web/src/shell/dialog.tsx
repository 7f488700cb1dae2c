import { Modal, type ModalProps } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import type { ReactNode } from 'react';

/** A dialog, and the button that opens it. */
export function Dialog({
  title,
  size,
  button,
  children,
}: {
  title: string;
  size?: ModalProps['size'];
  button: (open: () => void) => ReactNode;
  children: (close: () => void) => ReactNode;
}) {
  const [isOpen, { open, close }] = useDisclosure();
  return (
    <>
      {button(open)}
      <Modal opened={isOpen} onClose={close} title={title} size={size}>
        {children(close)}
      </Modal>
    </>
  );
}
