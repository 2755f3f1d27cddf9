-- The order in which bookings and tours are locked, and the file of a recording.

-- A booking that will hold places holds its tour before it is written: the foreign key's own, weaker hold on the tour would come first otherwise, and two who both want
-- more than that of the same tour would wait for each other.
CREATE FUNCTION hold_tour_first() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    PERFORM 1 FROM public.tours t WHERE t.id = NEW.tour_id AND t.organization_id = NEW.organization_id FOR NO KEY UPDATE;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION hold_tour_first() FROM PUBLIC;
CREATE TRIGGER hold_tour_first BEFORE INSERT ON client_tours FOR EACH ROW WHEN (NEW.status IN ('booked', 'confirmed')) EXECUTE FUNCTION hold_tour_first();

-- A recording whose file is deleted stays, with its transcript. Checked when the transaction ends, as an archive brings files after all else.
ALTER TABLE call_recordings ADD COLUMN file_id uuid REFERENCES files (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX call_recordings_by_file ON call_recordings (file_id) WHERE file_id IS NOT NULL;

-- The sound goes with its last recording: whoever asks that a person be forgotten means the voice too.
CREATE FUNCTION delete_recording_file() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    DELETE FROM public.files f WHERE f.id = OLD.file_id AND f.organization_id = OLD.organization_id AND f.purpose = 'recording'
        AND NOT EXISTS (SELECT FROM public.call_recordings r WHERE r.file_id = f.id);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION delete_recording_file() FROM PUBLIC;
CREATE TRIGGER delete_recording_file AFTER DELETE OR UPDATE OF file_id ON call_recordings FOR EACH ROW WHEN (OLD.file_id IS NOT NULL) EXECUTE FUNCTION delete_recording_file();
