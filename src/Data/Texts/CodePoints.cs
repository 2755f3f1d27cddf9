namespace AgentPlatform.Data.Texts;

/// <summary>
/// Sets of characters that texts are compared without. They are written out, not asked of the runtime, so that they are the same here, in the database (whose functions
/// repeat them) and after an update of either.
/// </summary>
internal static class CodePoints
{
    /// <summary>What stands for a space: all that Unicode calls white space, and the empty cell of Braille.</summary>
    private static readonly int[] Spaces = [0x09, 0x0D, 0x20, 0x20, 0x85, 0x85, 0xA0, 0xA0, 0x1680, 0x1680, 0x2000, 0x200A, 0x2028, 0x2029, 0x202F, 0x202F, 0x205F, 0x205F, 0x2800, 0x2800, 0x3000, 0x3000];

    /// <summary>
    /// What nobody sees: controls, and what Unicode lets a display ignore (marks of direction, joiners, zero width spaces, fillers, selectors of variants, tags).
    /// The signs of category Cf that are printed, such as the Arabic number signs, are not among them.
    /// </summary>
    private static readonly int[] Invisible =
    [
        0x00, 0x08, 0x0E, 0x1F, 0x7F, 0x84, 0x86, 0x9F, 0xAD, 0xAD, 0x34F, 0x34F, 0x61C, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180F, 0x200B, 0x200F, 0x202A, 0x202E,
        0x2060, 0x206F, 0x3164, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFEFF, 0xFFA0, 0xFFA0, 0xFFF0, 0xFFFB, 0x1BCA0, 0x1BCA3, 0x1D173, 0x1D17A, 0xE0000, 0xE0FFF,
    ];

    /// <summary>Invisible characters that change what stands beside them: joiners of letters and of pictures, selectors of variants, tags of flags.</summary>
    private static readonly int[] Shaping = [0x34F, 0x34F, 0x180B, 0x180F, 0x200C, 0x200D, 0xFE00, 0xFE0F, 0xE0020, 0xE007F, 0xE0100, 0xE01EF];

    /// <summary>What people put around a word without meaning another one: punctuation of the scripts in use, brackets, marks of bold and italics, arrows, pictures. Not a plus or a sign of a currency.</summary>
    private static readonly int[] Around =
    [
        0x20, 0x23, 0x25, 0x2A, 0x2C, 0x2F, 0x3A, 0x40, 0x5B, 0x60, 0x7B, 0x7E, 0xA1, 0xA1, 0xA6, 0xA7, 0xA9, 0xA9, 0xAB, 0xAC, 0xAE, 0xAE, 0xB0, 0xB0, 0xB6, 0xB7, 0xBB, 0xBB, 0xBF, 0xBF,
        0x55A, 0x55F, 0x589, 0x58A, 0x5BE, 0x5BE, 0x5C0, 0x5C0, 0x5C3, 0x5C3, 0x5C6, 0x5C6, 0x5F3, 0x5F4, 0x60C, 0x60D, 0x61B, 0x61B, 0x61D, 0x61F, 0x66A, 0x66D, 0x6D4, 0x6D4,
        0x964, 0x965, 0x970, 0x970, 0xE2F, 0xE2F, 0xE4F, 0xE4F, 0xE5A, 0xE5B, 0xF04, 0xF14, 0x104A, 0x104F, 0x10FB, 0x10FB, 0x1360, 0x1368, 0x17D4, 0x17DA, 0x1800, 0x180A,
        0x2010, 0x2027, 0x2030, 0x205E, 0x20E3, 0x20E3, 0x2190, 0x2BFF, 0x3001, 0x3004, 0x3008, 0x3020, 0x3030, 0x3030, 0x30FB, 0x30FB, 0x1F000, 0x1FAFF,
    ];

    public static bool IsSpace(int point) => IsIn(Spaces, point);

    public static bool IsInvisible(int point) => IsIn(Invisible, point);

    /// <summary>Invisible, and nothing is lost where it stands at the edge of a text.</summary>
    public static bool IsIdle(int point) => IsInvisible(point) && !IsIn(Shaping, point);

    /// <summary>What flags of regions begin with.</summary>
    public const int BlackFlag = 0x1F3F4;

    /// <summary>A character of the block of tags, which repeats ASCII invisibly.</summary>
    public static bool IsTag(int point) => point is >= 0xE0000 and <= 0xE007F;

    public static bool IsAround(int point) => IsIn(Around, point);

    private static bool IsIn(int[] bounds, int point)
    {
        var found = Array.BinarySearch(bounds, point);
        // A bound, or between the two of one range. (A range of one stands twice; which of them is found does not matter.)
        return found >= 0 || (~found & 1) == 1;
    }
}
