using Orleans.Runtime;

namespace Orleans
{
    /// <summary>A grain that can be woken by reminders.</summary>
    public interface IRemindable : IGrain
    {
        /// <summary>A reminder came.</summary>
        Task ReceiveReminder(string reminderName, TickStatus status);
    }

    /// <summary>How a grain sets its reminders. They outlive the activation and the process.</summary>
    public static class GrainReminderExtensions
    {
        /// <summary>Sets a reminder: first after <paramref name="dueTime"/>, then each <paramref name="period"/>.</summary>
        public static Task<IGrainReminder> RegisterOrUpdateReminder(this Grain grain, string reminderName, TimeSpan dueTime, TimeSpan period) =>
            RegisterOrUpdateReminder((IGrainBase)grain, reminderName, dueTime, period);

        /// <summary>Sets a reminder: first after <paramref name="dueTime"/>, then each <paramref name="period"/>.</summary>
        public static Task<IGrainReminder> RegisterOrUpdateReminder(this IGrainBase grain, string reminderName, TimeSpan dueTime, TimeSpan period) =>
            Service(grain).RegisterOrUpdateReminder(grain.GrainContext.GrainId, reminderName, dueTime, period);

        /// <summary>Removes a reminder.</summary>
        public static Task UnregisterReminder(this Grain grain, IGrainReminder reminder) => UnregisterReminder((IGrainBase)grain, reminder);

        /// <summary>Removes a reminder.</summary>
        public static Task UnregisterReminder(this IGrainBase grain, IGrainReminder reminder) => Service(grain).UnregisterReminder(reminder);

        /// <summary>A reminder of the grain, or null.</summary>
        public static Task<IGrainReminder?> GetReminder(this Grain grain, string reminderName) => GetReminder((IGrainBase)grain, reminderName);

        /// <summary>A reminder of the grain, or null.</summary>
        public static Task<IGrainReminder?> GetReminder(this IGrainBase grain, string reminderName) =>
            Service(grain).GetReminder(grain.GrainContext.GrainId, reminderName);

        /// <summary>All reminders of the grain.</summary>
        public static Task<List<IGrainReminder>> GetReminders(this Grain grain) => GetReminders((IGrainBase)grain);

        /// <summary>All reminders of the grain.</summary>
        public static Task<List<IGrainReminder>> GetReminders(this IGrainBase grain) => Service(grain).GetReminders(grain.GrainContext.GrainId);

        private static ReminderService Service(IGrainBase grain)
        {
            ArgumentNullException.ThrowIfNull(grain);
            if (grain is not IRemindable)
            {
                throw new InvalidOperationException($"{grain.GetType()} has reminders but doesn't implement IRemindable.");
            }

            return ReminderService.Of((Activation)grain.GrainContext);
        }
    }
}

namespace Orleans.Runtime
{
    /// <summary>A reminder that was set.</summary>
    public interface IGrainReminder
    {
        /// <summary>Its name, unique within its grain.</summary>
        string ReminderName { get; }
    }

    /// <summary>When a reminder came and should have come.</summary>
    [GenerateSerializer, Immutable]
    public readonly struct TickStatus(DateTime firstTickTime, TimeSpan period, DateTime timeStamp)
    {
        /// <summary>When it first was due, in UTC.</summary>
        [Id(0)]
        public DateTime FirstTickTime { get; } = firstTickTime;

        /// <summary>How often it comes.</summary>
        [Id(1)]
        public TimeSpan Period { get; } = period;

        /// <summary>When it came now, in UTC.</summary>
        [Id(2)]
        public DateTime CurrentTickTime { get; } = timeStamp;

        /// <inheritdoc />
        public override string ToString() => $"first {FirstTickTime:O}, now {CurrentTickTime:O}, every {Period}";
    }
}
