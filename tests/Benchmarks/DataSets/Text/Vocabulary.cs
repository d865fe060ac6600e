using System.Text;

namespace FunctionsBackup.Benchmarks.DataSets.Text;

/// <summary>Sentences as callers and agents say them: words by their natural frequency (Zipf), names, numbers.</summary>
public static class Vocabulary
{
    private static readonly string[] Words =
        ("the to you i and a of it that is in for can my on your have with this we be are was not do so me at but if as what will just " +
         "account order number please would like help know there about from up when they get or an all one yes no okay right now how time " +
         "thank thanks sure call back need see here out then could our today day payment card check been has let any make still also did " +
         "had by week email address name phone last tell try sorry problem said new some more think because delivery booking appointment " +
         "tomorrow morning afternoon system refund charge invoice month moment look send sent first next two three four five hundred " +
         "confirm cancel change service support agent customer line hold transfer different same after before again already always never " +
         "often password reset login website page button screen message text code digit box ticket case reference policy claim insurance " +
         "doctor patient clinic pharmacy prescription visit flight hotel room night table reservation party people price amount balance " +
         "total discount voucher offer plan contract upgrade device router internet connection signal speed outage technician engineer " +
         "install replace repair warranty return exchange package courier tracking warehouse shipped arrived missing broken damaged wrong " +
         "colour size large small medium black white blue red green quantity item product catalogue stock available unavailable waiting " +
         "queue minutes hours yesterday monday tuesday wednesday thursday friday saturday sunday january february march april may june july " +
         "street road avenue city postcode country language english german french spanish understand repeat slowly louder clearly voice " +
         "recording consent privacy security question answer birthday verify verified identity maiden mother school pet favourite").Split(' ');

    private static readonly string[] Names =
        ("Anna Bela Carla David Elif Farid Greta Hugo Ines Jonas Katja Liam Mara Nils Olga Pavel Quinn Rosa Samir Tilda Umar Vera Wim Xenia " +
         "Yusuf Zoe Adams Becker Costa Dubois Evans Fischer Garcia Hansen Ito Jensen Kowalski Lopez Meyer Novak Okafor Petrov Quist Rossi " +
         "Schmidt Tanaka Ueda Virtanen Weber Xu Yilmaz Zhang").Split(' ');

    private static readonly int[] Cumulative = MakeCumulative();

    public static string Name(ref SplitMix random) => $"{Names[random.Below(26)]} {Names[26 + random.Below(Names.Length - 26)]}";

    public static string Word(ref SplitMix random)
    {
        var at = Array.BinarySearch(Cumulative, random.Below(Cumulative[^1]));
        return Words[at < 0 ? ~at : at + 1];
    }

    /// <summary>Appends a sentence of <paramref name="words"/> words.</summary>
    public static void Sentence(StringBuilder target, int words, ref SplitMix random)
    {
        for (var i = 0; i < words; i++)
        {
            if (i > 0) target.Append(' ');
            var start = target.Length;
            switch (random.Below(40))
            {
                case 0:
                    target.Append(random.Between(10, 1_000_000));
                    break;
                case 1:
                    target.Append(Name(ref random));
                    break;
                default:
                    target.Append(Word(ref random));
                    break;
            }

            if (i == 0) target[start] = char.ToUpperInvariant(target[start]);
            else if (i < words - 1 && random.Below(11) == 0) target.Append(',');
        }

        target.Append(random.Below(5) == 0 ? '?' : '.');
    }

    private static int[] MakeCumulative()
    {
        var sums = new int[Words.Length];
        var sum = 0;
        for (var i = 0; i < sums.Length; i++) sums[i] = sum += 1_000_000 / (i + 3);
        return sums;
    }
}
