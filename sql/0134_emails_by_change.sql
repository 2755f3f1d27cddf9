-- Lists of e-mail are also read and ordered by when something last became of one.
CREATE INDEX outgoing_emails_by_change ON outgoing_emails (updated_at DESC, id DESC);
