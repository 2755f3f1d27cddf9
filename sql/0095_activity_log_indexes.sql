-- One index over who did something, for the list of a person's doings as for following the reference back, where there were two: every change writes a row here.
DROP INDEX activity_logs_by_user;
DROP INDEX activity_logs_of_user;
CREATE INDEX activity_logs_by_user ON activity_logs (user_id, organization_id, created_at DESC) WHERE user_id IS NOT NULL;
